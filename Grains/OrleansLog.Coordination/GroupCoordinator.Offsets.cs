using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using static OrleansLog.Protocol.Messages.OffsetFetchRequest;
using static OrleansLog.Protocol.Messages.OffsetFetchResponse;

namespace OrleansLog.Coordination;

/// <content>Committed offsets.</content>
public sealed partial class GroupCoordinator
{
    /// <summary>
    /// Stores offsets. All that one request stores stands in one append; a request too large for that is answered
    /// with <see cref="ErrorCode.InvalidCommitOffsetSize"/>. Partitions that do not exist are refused one by one and
    /// cost nothing.
    /// </summary>
    public Task<OffsetCommitResponse> OffsetCommitAsync(CallContext context, OffsetCommitRequest request)
    {
        return IsTooLong(request.GroupId)
            ? Task.FromResult(Refuse(ErrorCode.InvalidGroupId))
            : RouteAsync(context, request.GroupId, (shard, _, now) => shard.OffsetCommit(context, request, now), Refuse);

        OffsetCommitResponse Refuse(ErrorCode refused) =>
            OffsetAnswers.Refuse(request, CoordinatorErrors.ForCommits(refused));
    }

    /// <summary>Reads committed offsets, of one group up to version 7, of several from version 8 on.</summary>
    public async Task<OffsetFetchResponse> OffsetFetchAsync(CallContext context, OffsetFetchRequest request)
    {
        if (context.ApiVersion < 8)
            return OffsetAnswers.ToSingleGroup(await FetchAsync(context, OffsetAnswers.ToGroup(request), request.RequireStable), request, context.ApiVersion);
        var groups = request.Groups.ConvertAll(group => FetchAsync(context, group, request.RequireStable));
        return new OffsetFetchResponse { Groups = [.. await Answers.AllAsync(groups)] };
    }

    /// <summary>
    /// Stores offsets that count when the transaction of their producer is committed. That the partition which holds the group is
    /// part of the transaction was asked by the caller.
    /// </summary>
    /// <param name="context">Who calls.</param>
    /// <param name="request">The offsets.</param>
    /// <param name="verified">As in <see cref="TransactionWrite.Verified"/>.</param>
    public Task<TxnOffsetCommitResponse> TxnOffsetCommitAsync(CallContext context, TxnOffsetCommitRequest request, CoordinatorsWord? verified)
    {
        var error = ValidateGroupId(request.GroupId);
        return error == ErrorCode.None
            ? RouteAsync(context, request.GroupId, (shard, _, now) => shard.TxnOffsetCommit(request, verified, now), Refuse)
            : Task.FromResult(Refuse(error));

        TxnOffsetCommitResponse Refuse(ErrorCode refused) => OffsetAnswers.Refuse(request, CoordinatorErrors.ForCommits(refused));
    }

    /// <summary>The same error for every offset of a transaction.</summary>
    public static TxnOffsetCommitResponse Refuse(TxnOffsetCommitRequest request, ErrorCode error) => OffsetAnswers.Refuse(request, error);

    /// <summary>Writes the end of a transaction into a partition of this coordinator. Answers when it is committed.</summary>
    public async Task<ErrorCode> EndTransactionAsync(int partition, EndTransactionMarker marker, bool hasNewEpoch)
    {
        if (!_elections.TryGetValue(partition, out var election))
            return ErrorCode.NotLeaderOrFollower;
        var ended = await election.Runtime.RunAsync(
            (_, _, now) => GroupShard.EndTransaction(marker, hasNewEpoch, now), error => new Ended(error));
        return ended.Error == ErrorCode.NotCoordinator ? ErrorCode.NotLeaderOrFollower : ended.Error;
    }

    internal sealed record Ended(ErrorCode Error);

    /// <summary>Deletes offsets of topics that the group does not read.</summary>
    public Task<OffsetDeleteResponse> OffsetDeleteAsync(CallContext context, OffsetDeleteRequest request)
    {
        var error = ValidateGroupId(request.GroupId);
        return error == ErrorCode.None
            ? RouteAsync(context, request.GroupId, (shard, _, now) => shard.OffsetDelete(request, now), Refuse)
            : Task.FromResult(Refuse(error));

        static OffsetDeleteResponse Refuse(ErrorCode refused) =>
            new() { ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }

    /// <summary>
    /// Deletes what groups have committed for partitions that exist no more, in all shards of this broker. To be
    /// called when a topic was deleted. Answers the first error, if there was one: what then stays behind goes when
    /// it expires.
    /// </summary>
    public async Task<ErrorCode> ForgetPartitionsAsync(IReadOnlyCollection<TopicPartition> partitions)
    {
        var forgotten = await Answers.AllAsync(_elections.Values.Select(election => election.Runtime.RunAsync(
            (shard, _, now) => shard.ForgetPartitions(partitions, now), error => new Forgotten(error))));
        return forgotten.FirstOrDefault(each => each.Error != ErrorCode.None)?.Error ?? ErrorCode.None;
    }

    internal sealed record Forgotten(ErrorCode Error);

    private Task<OffsetFetchResponseGroup> FetchAsync(CallContext context, OffsetFetchRequestGroup group, bool requireStable)
    {
        return IsTooLong(group.GroupId)
            ? Task.FromResult(Refuse(ErrorCode.InvalidGroupId))
            : RouteAsync(context, group.GroupId, (shard, _, now) => shard.OffsetFetch(group, requireStable, now), Refuse);

        OffsetFetchResponseGroup Refuse(ErrorCode refused) =>
            new() { GroupId = group.GroupId, ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }
}
