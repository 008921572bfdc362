using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Puts a key where Kafka's Java client and most others put it (<see cref="Murmur2"/>). A record without a key goes to
/// any partition.
/// </summary>
public sealed class Murmur2Partitioner : IPartitioner
{
    public int Choose(string topic, ReadOnlySpan<byte> key, bool hasKey, int partitionCount) =>
        hasKey ? Murmur2.PartitionFor(key, partitionCount) : -1;
}
