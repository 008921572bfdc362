using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A position in a partition, with the leader epoch of the record before it where that is known (KIP-320).</summary>
public readonly record struct TopicPartitionOffset(TopicPartition Partition, Offset Offset)
{
    /// <summary>The leader epoch of the last record read, or <see cref="LeaderEpoch.None"/>.</summary>
    public LeaderEpoch LeaderEpoch { get; init; } = LeaderEpoch.None;

    /// <summary>What the application stored beside a committed offset; empty if nothing.</summary>
    public string Metadata { get; init; } = "";
}
