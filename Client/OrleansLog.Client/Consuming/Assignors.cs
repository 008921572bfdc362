namespace OrleansLog.Client;

/// <summary>The assignors that come with the client, under Kafka's names.</summary>
public static partial class Assignors
{
    /// <summary>Neighbouring partitions of each topic to each member: partition n of all topics goes to one member.</summary>
    public static IPartitionAssignor Range { get; } = new RangeAssignor();

    /// <summary>Partitions dealt out one by one: the counts of two members differ by one at most.</summary>
    public static IPartitionAssignor RoundRobin { get; } = new RoundRobinAssignor();

    /// <summary>Balanced, moves as few partitions as it can, and does not stop the others (KIP-429).</summary>
    public static IPartitionAssignor CooperativeSticky { get; } = new CooperativeStickyAssignor();
}
