using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.Protocol.Messages.OffsetCommitRequest;
using static OrleansLog.Protocol.Messages.OffsetCommitResponse;
using static OrleansLog.Protocol.Messages.OffsetFetchRequest;
using static OrleansLog.Protocol.Messages.OffsetFetchResponse;

namespace OrleansLog.Coordination.Groups;

/// <summary>Commits and reads the offsets of all kinds of groups.</summary>
internal sealed class GroupOffsets(GroupOptions options, GroupStore store, ITopicDirectory topics)
{
    /// <summary>The first version whose clients are told that a group does not exist.</summary>
    private const short GroupIdNotFoundVersion = 9;

    /// <summary>The first version in which members of the consumer protocol name their epochs.</summary>
    private const short MemberEpochVersion = 9;

    public CoordinatorResult<OffsetCommitResponse> Commit(CallContext context, OffsetCommitRequest request, long nowMs)
    {
        var result = new CoordinatorResult<OffsetCommitResponse>(nowMs);
        var group = store.Find(request.GroupId);
        var error = Validate(group, request, context.ApiVersion);
        if (error != ErrorCode.None)
            return result.With(OffsetAnswers.Refuse(request, error));
        KeepSession(result, group, request);
        return result.With(new OffsetCommitResponse { Topics = request.Topics.ConvertAll(topic => Commit(result, request, topic)) });
    }

    /// <summary>
    /// Reads offsets. The answer waits, as all answers do, for the commits before it. Who asks for stable offsets (KIP-447) is
    /// told of those that a transaction may still change.
    /// </summary>
    public CoordinatorResult<OffsetFetchResponseGroup> Fetch(OffsetFetchRequestGroup request, bool requireStable, long nowMs)
    {
        var group = store.Find(request.GroupId);
        var offsets = group?.Offsets;
        var error = group?.ValidateFetch(request.MemberId, request.MemberEpoch) ?? ErrorCode.None;
        var result = new CoordinatorResult<OffsetFetchResponseGroup>(nowMs);
        if (error != ErrorCode.None)
            return result.With(new OffsetFetchResponseGroup { GroupId = request.GroupId, ErrorCode = error });
        return result.With(new OffsetFetchResponseGroup
        {
            GroupId = request.GroupId,
            Topics = Stable(request.GroupId, requireStable, request.Topics is { } asked ? asked.ConvertAll(topic => Read(offsets, topic)) : ReadAll(offsets)),
        });
    }

    private List<OffsetFetchResponseTopics> Stable(string group, bool requireStable, List<OffsetFetchResponseTopics> topics)
    {
        foreach (var topic in requireStable ? topics : [])
        {
            foreach (var answer in topic.Partitions.Where(each => store.Pending.Has(group, new(topic.Name, each.PartitionIndex))))
                (answer.ErrorCode, answer.CommittedOffset, answer.CommittedLeaderEpoch, answer.Metadata) = (ErrorCode.UnstableOffsetCommit, Offset.None.Value, LeaderEpoch.None.Value, "");
        }
        return topics;
    }

    public CoordinatorResult<OffsetDeleteResponse> Delete(OffsetDeleteRequest request, long nowMs)
    {
        var result = new CoordinatorResult<OffsetDeleteResponse>(nowMs);
        var group = store.Find(request.GroupId);
        var error = group?.ValidateOffsetDelete() ?? ErrorCode.GroupIdNotFound;
        return error != ErrorCode.None
            ? result.With(new OffsetDeleteResponse { ErrorCode = error })
            : result.With(new OffsetDeleteResponse { Topics = request.Topics.ConvertAll(topic => Delete(result, group!, topic)) });
    }

    private static ErrorCode Validate(Group? group, OffsetCommitRequest request, short version)
    {
        var generation = request.GenerationIdOrMemberEpoch;
        if (generation >= 0 && group?.SpeaksClassic(request.MemberId) == false && version < MemberEpochVersion)
            return ErrorCode.UnsupportedVersion;
        if (group is not null)
            return group.ValidateCommit(request.MemberId, request.GroupInstanceId, generation);
        if (generation < 0)
            return ErrorCode.None;
        return version >= GroupIdNotFoundVersion ? ErrorCode.GroupIdNotFound : ErrorCode.IllegalGeneration;
    }

    /// <summary>A member that commits lives.</summary>
    private static void KeepSession(CoordinatorResult result, Group? group, OffsetCommitRequest request)
    {
        if (group is ClassicGroup classic && classic.Find(request.MemberId) is { } member)
            ClassicRebalance.RestartSession(result, classic, member);
    }

    private OffsetCommitResponseTopic Commit(CoordinatorResult result, OffsetCommitRequest request, OffsetCommitRequestTopic topic) => new()
    {
        Name = topic.Name,
        Partitions = topic.Partitions.ConvertAll(partition => new OffsetCommitResponsePartition
        {
            PartitionIndex = partition.PartitionIndex,
            ErrorCode = Commit(result, request, topic.Name, partition),
        }),
    };

    private ErrorCode Commit(CoordinatorResult result, OffsetCommitRequest request, string topic, OffsetCommitRequestPartition partition)
    {
        if (partition.CommittedMetadata?.Length > options.OffsetMetadataMaxLength)
            return ErrorCode.OffsetMetadataTooLarge;
        if (!topics.Contains(topic, partition.PartitionIndex))
            return ErrorCode.UnknownTopicOrPartition;
        var committed = new CommittedOffset(
            new Offset(partition.CommittedOffset), new LeaderEpoch(partition.CommittedLeaderEpoch),
            partition.CommittedMetadata ?? "", result.NowMs, ExpiryMs(request.RetentionTimeMs, result.NowMs));
        result.Append(new OffsetCommitRecord(request.GroupId, new TopicPartition(topic, partition.PartitionIndex), committed));
        return ErrorCode.None;
    }

    private static long? ExpiryMs(long retentionMs, long nowMs) =>
        retentionMs < 0 ? null : nowMs + Math.Min(retentionMs, long.MaxValue - nowMs);

    private static OffsetFetchResponseTopics Read(Dictionary<TopicPartition, CommittedOffset>? offsets, OffsetFetchRequestTopics topic) => new()
    {
        Name = topic.Name,
        Partitions = topic.PartitionIndexes.ConvertAll(index =>
            offsets is not null && offsets.TryGetValue(new TopicPartition(topic.Name, index), out var committed)
                ? Answer(index, committed)
                : new OffsetFetchResponsePartitions { PartitionIndex = index, CommittedOffset = Offset.None.Value }),
    };

    private static List<OffsetFetchResponseTopics> ReadAll(Dictionary<TopicPartition, CommittedOffset>? offsets) =>
        [.. (offsets ?? []).GroupBy(entry => entry.Key.Topic).Select(topic => new OffsetFetchResponseTopics
        {
            Name = topic.Key,
            Partitions = [.. topic.Select(entry => Answer(entry.Key.Partition, entry.Value))],
        })];

    private static OffsetFetchResponsePartitions Answer(int index, in CommittedOffset committed) => new()
    {
        PartitionIndex = index,
        CommittedOffset = committed.Offset.Value,
        CommittedLeaderEpoch = committed.LeaderEpoch.Value,
        Metadata = committed.Metadata,
    };

    private static OffsetDeleteResponse.OffsetDeleteResponseTopic Delete(
        CoordinatorResult result, Group group, OffsetDeleteRequest.OffsetDeleteRequestTopic topic)
    {
        var error = group.IsSubscribedTo(topic.Name) ? ErrorCode.GroupSubscribedToTopic : ErrorCode.None;
        foreach (var index in topic.Partitions.Select(partition => partition.PartitionIndex))
        {
            var partition = new TopicPartition(topic.Name, index);
            if (error == ErrorCode.None && group.Offsets.ContainsKey(partition))
                result.Append(new OffsetCommitRecord(group.Id, partition, null));
        }
        return new OffsetDeleteResponse.OffsetDeleteResponseTopic
        {
            Name = topic.Name,
            Partitions = topic.Partitions.ConvertAll(partition =>
                new OffsetDeleteResponse.OffsetDeleteResponsePartition { PartitionIndex = partition.PartitionIndex, ErrorCode = error }),
        };
    }
}
