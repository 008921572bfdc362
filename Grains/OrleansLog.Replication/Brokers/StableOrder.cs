using OrleansLog.Protocol;

namespace OrleansLog.Replication.Brokers;

/// <summary>
/// Hashes partitions alike in every process, unlike strings themselves: a table of them is gone through in the same order
/// whenever a run is repeated. Names of topics are given by who may create topics, so nothing is drawn against collisions.
/// </summary>
internal sealed class StableOrder : IEqualityComparer<TopicPartition>
{
    public static readonly StableOrder Instance = new();

    public bool Equals(TopicPartition x, TopicPartition y) => x == y;

    public int GetHashCode(TopicPartition obj)
    {
        var hash = obj.Partition;
        foreach (var unit in obj.Topic) hash = unchecked(31 * hash + unit);
        return hash;
    }
}
