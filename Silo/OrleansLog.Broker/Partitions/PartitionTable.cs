using System.Collections.Concurrent;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// The partitions that this broker has a replica of, leading or following. Looked up by every produce and fetch, without a lock and without making a
/// string of the name in the request; partitions may be added side by side.
/// </summary>
public sealed class PartitionTable
{
    private readonly ConcurrentDictionary<string, HostedTopic> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, HostedTopic> _byId = new();
    private readonly ConcurrentDictionary<string, HostedTopic>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public PartitionTable() => _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();

    public HostedTopic? FindTopic(ReadOnlySpan<char> name) => _bySpan.TryGetValue(name, out var topic) ? topic : null;

    public HostedTopic? FindTopic(Guid id) => _byId.GetValueOrDefault(id);

    public Partition? Find(TopicPartition id) => FindTopic(id.Topic.AsSpan())?.Find(id.Partition);

    /// <summary>Every partition with a replica here, in no particular order.</summary>
    public IEnumerable<Partition> All => _byName.Values.SelectMany(topic => topic.Partitions);

    internal void Add(Guid topicId, Partition partition)
    {
        var topic = _byName.GetOrAdd(partition.Id.Topic, static (name, id) => new HostedTopic(name, id), topicId);
        topic.Set(partition.Id.Partition, partition);
        _byId[topicId] = topic;
    }

    /// <summary>Forgets a partition that this broker has no replica of any more.</summary>
    internal void Remove(Partition partition) => FindTopic(partition.Id.Topic)?.Set(partition.Id.Partition, null);

    internal void RemoveTopic(string name)
    {
        if (_byName.TryRemove(name, out var topic))
            _byId.TryRemove(topic.Id, out _);
    }
}

/// <summary>The partitions of one topic that this broker has a replica of.</summary>
public sealed class HostedTopic(string name, Guid id)
{
    private readonly Lock _changing = new();
    private volatile Partition?[] _partitions = [];

    public string Name => name;

    public Guid Id => id;

    public IEnumerable<Partition> Partitions => _partitions.OfType<Partition>();

    public Partition? Find(int index) => (uint)index < (uint)_partitions.Length ? _partitions[index] : null;

    internal void Set(int index, Partition? partition)
    {
        lock (_changing)
        {
            var grown = new Partition?[Math.Max(_partitions.Length, index + 1)];
            _partitions.CopyTo(grown, 0);
            grown[index] = partition;
            _partitions = grown;
        }
    }
}
