using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Metadata;

/// <summary>Reads and writes the committed offsets of one group.</summary>
internal static class GroupOffsets
{
    /// <summary>The committed offsets of these partitions, or of all; those without one are left out.</summary>
    public static async Task<List<TopicPartitionOffset>> FetchAsync(
        GroupCoordinator coordinator, IReadOnlyCollection<TopicPartition>? partitions, CancellationToken cancellationToken, bool requireStable = false)
    {
        var response = await coordinator.SendStableAsync(
            "read the committed offsets of", Question(coordinator.GroupId, partitions, requireStable), ErrorOf, cancellationToken);
        var error = ErrorOf(response);
        if (error != ErrorCode.None)
            throw new OrleansLogException(error, $"The committed offsets of group '{coordinator.GroupId}' cannot be read: {error}.");
        return [.. Flatten(response).Where(committed => committed.Offset >= Offset.Zero)];
    }

    /// <summary>Commits offsets.</summary>
    /// <param name="coordinator">The group's.</param>
    /// <param name="member">Who commits; <see cref="GroupMember.None"/> from outside the group.</param>
    /// <param name="positions">What to commit.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="OrleansLogException">One of them was refused; those of other partitions may have been stored.</exception>
    public static async Task CommitAsync(
        GroupCoordinator coordinator, GroupMember member, IReadOnlyCollection<TopicPartitionOffset> positions, CancellationToken cancellationToken)
    {
        if (positions.Count == 0) return;
        var request = new OffsetCommitRequest
        {
            GroupId = coordinator.GroupId,
            GenerationIdOrMemberEpoch = member.Generation,
            MemberId = member.Id,
            GroupInstanceId = member.InstanceId,
            Topics = [.. positions.GroupBy(position => position.Partition.Topic).Select(ToTopic)],
        };
        var response = await coordinator.SendAsync("commit offsets of", request, FirstErrorOf, cancellationToken);
        var error = FirstErrorOf(response);
        if (error != ErrorCode.None) throw new OrleansLogException(error, Explain(coordinator.GroupId, error));
    }

    private static OffsetFetchRequest Question(string groupId, IReadOnlyCollection<TopicPartition>? partitions, bool requireStable)
    {
        var topics = partitions?.GroupBy(partition => partition.Topic, partition => partition.Partition).ToList();
        return new OffsetFetchRequest
        {
            GroupId = groupId,
            RequireStable = requireStable,
            Topics = topics?.ConvertAll(topic => new OffsetFetchRequest.OffsetFetchRequestTopic { Name = topic.Key, PartitionIndexes = [.. topic] }),
            Groups =
            [
                new OffsetFetchRequest.OffsetFetchRequestGroup
                {
                    GroupId = groupId,
                    Topics = topics?.ConvertAll(topic => new OffsetFetchRequest.OffsetFetchRequestTopics { Name = topic.Key, PartitionIndexes = [.. topic] }),
                },
            ],
        };
    }

    private static ErrorCode ErrorOf(OffsetFetchResponse response)
    {
        if (response.ErrorCode != ErrorCode.None) return response.ErrorCode;
        if (response.Groups.Count > 0 && response.Groups[0].ErrorCode != ErrorCode.None) return response.Groups[0].ErrorCode;
        return response.Topics.SelectMany(topic => topic.Partitions).Select(partition => partition.ErrorCode)
            .Concat(response.Groups.SelectMany(group => group.Topics).SelectMany(topic => topic.Partitions).Select(partition => partition.ErrorCode))
            .FirstOrDefault(error => error is not (ErrorCode.None or ErrorCode.UnknownTopicOrPartition));
    }

    private static IEnumerable<TopicPartitionOffset> Flatten(OffsetFetchResponse response)
    {
        foreach (var topic in response.Topics)
        {
            foreach (var p in topic.Partitions)
                yield return Committed(topic.Name, p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata);
        }
        foreach (var topic in response.Groups.SelectMany(group => group.Topics))
        {
            foreach (var p in topic.Partitions)
                yield return Committed(topic.Name, p.PartitionIndex, p.CommittedOffset, p.CommittedLeaderEpoch, p.Metadata);
        }
    }

    private static TopicPartitionOffset Committed(string topic, int partition, long offset, int epoch, string? metadata) =>
        new(new TopicPartition(topic, partition), new Offset(offset)) { LeaderEpoch = new LeaderEpoch(epoch), Metadata = metadata ?? "" };

    private static OffsetCommitRequest.OffsetCommitRequestTopic ToTopic(IGrouping<string, TopicPartitionOffset> topic) => new()
    {
        Name = topic.Key,
        Partitions =
        [
            .. topic.Select(position => new OffsetCommitRequest.OffsetCommitRequestPartition
            {
                PartitionIndex = position.Partition.Partition,
                CommittedOffset = position.Offset.Value,
                CommittedLeaderEpoch = position.LeaderEpoch.Value,
                CommittedMetadata = position.Metadata,
            }),
        ],
    };

    private static ErrorCode FirstErrorOf(OffsetCommitResponse response) => response.Topics
        .SelectMany(topic => topic.Partitions).Select(partition => partition.ErrorCode)
        .FirstOrDefault(error => error != ErrorCode.None);

    private static string Explain(string groupId, ErrorCode error) => error switch
    {
        ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.RebalanceInProgress or ErrorCode.StaleMemberEpoch or ErrorCode.FencedMemberEpoch =>
            $"Group '{groupId}' has given partitions to others meanwhile ({error}): nothing was committed, and what was read since the last commit comes again there.",
        ErrorCode.FencedInstanceId =>
            $"Another member of group '{groupId}' has taken over this one's GroupInstanceId: give each running member its own.",
        _ => $"Offsets of group '{groupId}' were not committed: {error}.",
    };
}

/// <summary>Who a member of a group is, in one generation; in the consumer protocol, in one epoch.</summary>
internal readonly record struct GroupMember(string Id, int Generation, string? InstanceId)
{
    /// <summary>Nobody: commits from outside the group are taken while it has no members.</summary>
    public static readonly GroupMember None = new("", -1, null);
}
