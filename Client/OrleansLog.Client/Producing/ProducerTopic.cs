using OrleansLog.Client.Metadata;
using OrleansLog.Client.Waiting;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Producing;

/// <summary>The partitions of one topic, and the choice among them.</summary>
internal sealed class ProducerTopic(string name, ProducerState producer)
{
    /// <summary>Records without a key stay with a partition for so many bytes (KIP-794).</summary>
    private const int StickyBytes = 64 * 1024;

    /// <summary>How long transactions of records without a key stay with a partition, in milliseconds.</summary>
    private const int StickyMs = 1_000;

    private readonly Lock _gate = new();
    private ClusterView? _seen;
    private PartitionQueue[] _queues = [];
    private int _sticky = -1;
    private long _stickyBytes;
    private long _stickySinceMs;
    private int _transaction;
    private int _waiting;

    public string Name => name;

    /// <summary>Held by the one record that waits for metadata or room; others queue behind it in their order.</summary>
    public AsyncTurn Turn { get; } = new();

    /// <summary>Whether records wait: while any do, new ones may not pass them.</summary>
    public bool HasWaiting => Volatile.Read(ref _waiting) > 0;

    public void BeginWait() => Interlocked.Increment(ref _waiting);

    public void EndWait() => Interlocked.Decrement(ref _waiting);

    public bool IsKnown => Queues().Length > 0;

    /// <summary>All its partitions that anything was written to, or may be.</summary>
    public PartitionQueue[] Queues()
    {
        var view = producer.Cluster.Metadata.View;
        if (!ReferenceEquals(view, Volatile.Read(ref _seen))) Look(view);
        return _queues;
    }

    /// <summary>Chooses a partition. Null if the record names one that does not exist.</summary>
    public PartitionQueue? Choose(in OutgoingRecord record)
    {
        var queues = Queues();
        if (record.Partition is { } wanted) return (uint)wanted < (uint)queues.Length ? queues[wanted] : null;
        var index = producer.Options.Partitioner.Choose(name, record.HasKey ? record.Key : [], record.HasKey, queues.Length);
        return index >= 0 ? queues[index] : queues[StickyIndex(queues.Length, record.Value.Length)];
    }

    // Threads may race here: then a partition is kept for a little more or less than it should.
    private int StickyIndex(int count, int bytes)
    {
        _stickyBytes += bytes;
        if ((uint)_sticky >= (uint)count || MayMoveOn())
        {
            _sticky = NextSticky(count);
            (_stickyBytes, _stickySinceMs) = (bytes, producer.NowMs());
        }
        return Math.Min(_sticky, count - 1);
    }

    // Every partition of a transaction costs a marker, and one that the transaction before did not have a record of the coordinator.
    private bool MayMoveOn()
    {
        if (producer.Transactions is not { } transactions) return _stickyBytes > StickyBytes;
        if (_stickyBytes > producer.Options.BatchBytes) return true;
        if (transactions.Begun == _transaction) return false;
        _transaction = transactions.Begun;
        return _stickyBytes > 0 && producer.NowMs() - _stickySinceMs > StickyMs;
    }

    private int NextSticky(int count)
    {
        var partitions = producer.Cluster.Metadata.View.Topics[name].Partitions;
        var start = _sticky < 0 ? producer.Cluster.Options.Random.Next(count) : _sticky + 1;
        for (var i = 0; i < count; i++)
        {
            var index = (start + i) % count;
            if (partitions[index].Leader != BrokerId.None) return index;
        }
        return start % count;
    }

    private void Look(ClusterView view)
    {
        lock (_gate)
        {
            if (view.Topics.TryGetValue(name, out var topic) && topic.Partitions.Length > _queues.Length)
            {
                var grown = new PartitionQueue[topic.Partitions.Length];
                _queues.CopyTo(grown, 0);
                for (var i = _queues.Length; i < grown.Length; i++)
                    grown[i] = new PartitionQueue(new TopicPartition(name, i), producer);
                Volatile.Write(ref _queues, grown);
            }
            Volatile.Write(ref _seen, view);
        }
    }
}
