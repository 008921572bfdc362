using System.Collections.Concurrent;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// The partitions that this broker leads. Looked up by every produce and fetch, without a lock and without making a
/// string of the name in the request; partitions may be added side by side.
/// </summary>
public sealed class PartitionTable
{
    private readonly ConcurrentDictionary<string, LedTopic> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Guid, LedTopic> _byId = new();
    private readonly ConcurrentDictionary<string, LedTopic>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public PartitionTable() => _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();

    public LedTopic? FindTopic(ReadOnlySpan<char> name) => _bySpan.TryGetValue(name, out var topic) ? topic : null;

    public LedTopic? FindTopic(Guid id) => _byId.GetValueOrDefault(id);

    public Partition? Find(TopicPartition id) => FindTopic(id.Topic.AsSpan())?.Find(id.Partition);

    /// <summary>Every partition led here, in no particular order.</summary>
    public IEnumerable<Partition> All => _byName.Values.SelectMany(topic => topic.Partitions);

    internal void Add(Guid topicId, Partition partition)
    {
        var topic = _byName.GetOrAdd(partition.Id.Topic, static (name, id) => new LedTopic(name, id), topicId);
        topic.Add(partition);
        _byId[topicId] = topic;
    }

    internal LedTopic? RemoveTopic(string name)
    {
        if (_byName.TryRemove(name, out var topic))
            _byId.TryRemove(topic.Id, out _);
        return topic;
    }
}

/// <summary>The partitions of one topic that this broker leads.</summary>
public sealed class LedTopic(string name, Guid id)
{
    private readonly Lock _growing = new();
    private volatile Partition?[] _partitions = [];

    public string Name => name;

    public Guid Id => id;

    public IEnumerable<Partition> Partitions => _partitions.OfType<Partition>();

    public Partition? Find(int index) => (uint)index < (uint)_partitions.Length ? _partitions[index] : null;

    internal void Add(Partition partition)
    {
        lock (_growing)
        {
            var index = partition.Id.Partition;
            var grown = new Partition?[Math.Max(_partitions.Length, index + 1)];
            _partitions.CopyTo(grown, 0);
            grown[index] = partition;
            _partitions = grown;
        }
    }
}
