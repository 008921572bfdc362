using System.Collections.Immutable;
using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Topics;

/// <summary>Chooses the brokers of each new partition.</summary>
internal static class ReplicaAssignment
{
    /// <summary>Checks a topic against the brokers there are; null when it can be placed, else why not.</summary>
    public static TopicOutcome? Refuse(NewTopic topic, int partitionCount, int replicationFactor, ClusterImage cluster)
    {
        if (topic.Assignment is { } assignment)
            return RefuseAssignment(assignment, cluster);
        if (partitionCount < 1)
            return TopicOutcome.Refused(ErrorCode.InvalidPartitions, $"A topic needs at least one partition; {partitionCount} were asked for.");
        if (partitionCount > PartitionsMax)
            return TopicOutcome.Refused(ErrorCode.InvalidPartitions, $"A topic can have up to {PartitionsMax} partitions; {partitionCount} were asked for.");
        return RefuseFactor(replicationFactor, cluster);
    }

    /// <summary>The most partitions of one topic.</summary>
    public const int PartitionsMax = 10_000;

    /// <summary>
    /// The replicas of <paramref name="count"/> partitions of a topic, from the one numbered <paramref name="first"/> on,
    /// spread over the living brokers and their racks. Topics begin at different brokers.
    /// </summary>
    public static ImmutableArray<ImmutableArray<BrokerId>> Place(ClusterImage cluster, int first, int count, int replicationFactor)
    {
        var start = first == 0 ? cluster.Topics.Count % cluster.Brokers.Length : 0;
        return ReplicaPlacement.Place([.. cluster.Brokers.Select(broker => new PlaceableBroker(broker.Id, broker.Rack))], first + start, count, replicationFactor);
    }

    public static ImmutableArray<ImmutableArray<BrokerId>> Chosen(IEnumerable<IReadOnlyList<BrokerId>> assignment) =>
        [.. assignment.Select(replicas => replicas.ToImmutableArray())];

    public static TopicOutcome? RefuseAssignment(IReadOnlyList<IReadOnlyList<BrokerId>> assignment, ClusterImage cluster)
    {
        if (assignment.Count is 0 or > PartitionsMax)
            return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, $"An assignment names 1 to {PartitionsMax} partitions.");
        foreach (var replicas in assignment)
        {
            if (replicas.Count == 0 || replicas.Distinct().Count() != replicas.Count)
                return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, "Each partition needs one or more replicas, on different brokers.");
            if (replicas.Count != assignment[0].Count)
                return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, "All partitions of a topic have the same number of replicas.");
            foreach (var id in replicas)
            {
                if (cluster.FindBroker(id) is null)
                    return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, $"There is no living broker {id}.");
            }
        }
        return null;
    }

    public static TopicOutcome? RefuseFactor(int factor, ClusterImage cluster) =>
        factor < 1 ? TopicOutcome.Refused(ErrorCode.InvalidReplicationFactor, $"A partition needs at least one replica; {factor} were asked for.")
        : factor > cluster.Brokers.Length ? TopicOutcome.Refused(
            ErrorCode.InvalidReplicationFactor,
            $"{factor} replicas need as many living brokers; there {(cluster.Brokers.Length == 1 ? "is 1" : $"are {cluster.Brokers.Length}")}.")
        : null;
}
