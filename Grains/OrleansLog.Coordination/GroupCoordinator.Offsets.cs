using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
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
            return OffsetAnswers.ToSingleGroup(await FetchAsync(context, OffsetAnswers.ToGroup(request)), request, context.ApiVersion);
        var groups = request.Groups.ConvertAll(group => FetchAsync(context, group));
        return new OffsetFetchResponse { Groups = [.. await Task.WhenAll(groups)] };
    }

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
        var forgotten = await Task.WhenAll(_elections.Values.Select(election => election.Runtime.RunAsync(
            (shard, _, now) => shard.ForgetPartitions(partitions, now), error => new Forgotten(error))));
        return forgotten.FirstOrDefault(each => each.Error != ErrorCode.None)?.Error ?? ErrorCode.None;
    }

    internal sealed record Forgotten(ErrorCode Error);

    private Task<OffsetFetchResponseGroup> FetchAsync(CallContext context, OffsetFetchRequestGroup group)
    {
        return IsTooLong(group.GroupId)
            ? Task.FromResult(Refuse(ErrorCode.InvalidGroupId))
            : RouteAsync(context, group.GroupId, (shard, _, now) => shard.OffsetFetch(group, now), Refuse);

        OffsetFetchResponseGroup Refuse(ErrorCode refused) =>
            new() { GroupId = group.GroupId, ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }
}
