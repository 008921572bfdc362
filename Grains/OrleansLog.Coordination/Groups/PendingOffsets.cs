using OrleansLog.Coordination.Records;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Groups;

/// <summary>An offset in a transaction that has not ended.</summary>
/// <param name="commit">The offset.</param>
/// <param name="order">Its place among those of the shard, as they were written.</param>
internal sealed class PendingOffset(OffsetCommitRecord commit, long order)
{
    public OffsetCommitRecord Commit => commit;

    public long Order => order;

    /// <summary>
    /// Whether a later write of the same offset counts already. Then this one never will: compaction keeps the last record of a
    /// key, and what is read again must come to the same.
    /// </summary>
    public bool IsSuperseded { get; set; }
}

/// <summary>Offsets in transactions that have not ended. Durable: changes in replay only.</summary>
internal sealed class PendingOffsets
{
    private readonly Dictionary<long, List<PendingOffset>> _byProducer = [];

    /// <summary>The same, by what open transactions would change.</summary>
    private readonly Dictionary<(string Group, TopicPartition Partition), List<PendingOffset>> _byPartition = [];
    private long _order;

    /// <summary>Whether a transaction may still change an offset.</summary>
    public bool Has(string group, TopicPartition partition) => _byPartition.ContainsKey((group, partition));

    public void Add(long producerId, OffsetCommitRecord commit) => Add(producerId, new PendingOffset(commit, ++_order));

    /// <summary>Puts back what <see cref="Take"/> has taken out, or adds another.</summary>
    public void Add(long producerId, PendingOffset pending)
    {
        Add(_byProducer, producerId, pending);
        Add(_byPartition, (pending.Commit.Group, pending.Commit.Partition), pending);
    }

    /// <summary>Takes back the last <see cref="Add(long, OffsetCommitRecord)"/>.</summary>
    public void RemoveLast(long producerId)
    {
        var last = _byProducer[producerId][^1];
        Remove(_byProducer, producerId, last);
        Remove(_byPartition, (last.Commit.Group, last.Commit.Partition), last);
    }

    /// <summary>Takes out what a transaction brought, in order.</summary>
    public List<PendingOffset> Take(long producerId)
    {
        if (!_byProducer.Remove(producerId, out var taken))
            return [];
        foreach (var pending in taken)
            Remove(_byPartition, (pending.Commit.Group, pending.Commit.Partition), pending);
        return taken;
    }

    /// <summary>Something counts that was written after what waits here for the same offset, up to an order. Tells what that changed.</summary>
    public List<PendingOffset> Supersede(string group, TopicPartition partition, long before)
    {
        if (!_byPartition.TryGetValue((group, partition), out var waiting))
            return [];
        var superseded = waiting.FindAll(pending => !pending.IsSuperseded && pending.Order < before);
        superseded.ForEach(pending => pending.IsSuperseded = true);
        return superseded;
    }

    private static void Add<TKey>(Dictionary<TKey, List<PendingOffset>> lists, TKey key, PendingOffset pending) where TKey : notnull
    {
        if (!lists.TryGetValue(key, out var list))
            lists.Add(key, list = []);
        list.Add(pending);
    }

    private static void Remove<TKey>(Dictionary<TKey, List<PendingOffset>> lists, TKey key, PendingOffset pending) where TKey : notnull
    {
        var list = lists[key];
        list.Remove(pending);
        if (list.Count == 0)
            lists.Remove(key);
    }
}
