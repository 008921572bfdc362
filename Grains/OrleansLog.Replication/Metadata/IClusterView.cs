using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>What the engine believes about the brokers: late, and sometimes wrong. Nothing's safety hangs on it. Any thread.</summary>
public interface IClusterView
{
    bool IsAlive(BrokerId broker);

    /// <summary>The broker epoch last heard of; 0 for an unknown broker.</summary>
    long EpochOf(BrokerId broker);

    /// <summary>
    /// What was last heard of a partition's record; null if nothing was, which has the record read. Spares an idle broker
    /// from reading every record again and again.
    /// </summary>
    PartitionRecord? RecordOf(TopicPartition partition) => null;
}
