using System.Collections.Immutable;
using OrleansLog.Broker.Metadata;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Topics;

/// <summary>Chooses the broker of each new partition.</summary>
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
        return RefuseFactor(replicationFactor);
    }

    /// <summary>The most partitions of one topic.</summary>
    public const int PartitionsMax = 10_000;

    /// <summary>
    /// Places the partitions <paramref name="from"/> to <paramref name="to"/> (exclusive) of a topic on the brokers in
    /// turn, counting from the one that has its partition 0.
    /// </summary>
    public static ImmutableArray<PartitionRecord> Spread(int firstBroker, int from, int to, ClusterImage cluster) =>
        [.. Enumerable.Range(from, to - from).Select(index => On(cluster.Brokers[(firstBroker + index) % cluster.Brokers.Length].Id))];

    public static ImmutableArray<PartitionRecord> Chosen(IEnumerable<IReadOnlyList<BrokerId>> assignment) =>
        [.. assignment.Select(replicas => On(replicas[0]))];

    public static TopicOutcome? RefuseAssignment(IReadOnlyList<IReadOnlyList<BrokerId>> assignment, ClusterImage cluster)
    {
        if (assignment.Count is 0 or > PartitionsMax)
            return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, $"An assignment names 1 to {PartitionsMax} partitions.");
        foreach (var replicas in assignment)
        {
            if (replicas.Count != 1)
                return RefuseFactor(replicas.Count);
            if (cluster.FindBroker(replicas[0]) is null)
                return TopicOutcome.Refused(ErrorCode.InvalidReplicaAssignment, $"There is no broker {replicas[0]}.");
        }
        return null;
    }

    private static TopicOutcome? RefuseFactor(int factor) => factor == 1
        ? null
        : TopicOutcome.Refused(
            ErrorCode.InvalidReplicationFactor, $"The embedded engine keeps one replica of a partition; {factor} were asked for.");

    private static PartitionRecord On(BrokerId broker) => new(broker.Value, 0, [broker.Value], [broker.Value]);
}
