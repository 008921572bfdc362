using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>Which replica may become the leader of a partition.</summary>
public enum ElectionType
{
    /// <summary>The first of its replicas, if it is in sync: nothing is lost.</summary>
    Preferred = 0,

    /// <summary>
    /// Where no in-sync replica lives, any replica that does. Records that only the others hold are lost.
    /// </summary>
    Unclean = 1,
}

/// <summary>A partition that is being moved to other brokers.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Replicas">All brokers that hold it now, those that come and those that go included.</param>
/// <param name="Adding">Brokers that have not caught up yet.</param>
/// <param name="Removing">Brokers that leave when those have.</param>
public sealed record PartitionReassignment(
    TopicPartition Partition, IReadOnlyList<BrokerId> Replicas, IReadOnlyList<BrokerId> Adding, IReadOnlyList<BrokerId> Removing);

/// <summary>What became of one partition of a call that takes several.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Error"><see cref="ErrorCode.None"/> if it succeeded.</param>
/// <param name="Message">What the broker said about it, if anything.</param>
public readonly record struct PartitionResult(TopicPartition Partition, ErrorCode Error, string? Message);
