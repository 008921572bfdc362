using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>Partitions that are to be part of a transaction.</summary>
/// <param name="Producer">Whose transaction it is.</param>
/// <param name="Partitions">What it writes to.</param>
/// <param name="Version">2 where each transaction of this producer has an epoch of its own (KIP-890).</param>
/// <param name="Reply">The answer, for where it has to wait.</param>
internal sealed record AskedParts(
    ProducerIdentity Producer, IReadOnlyCollection<TopicPartition> Partitions, short Version, PendingReply<PartsOutcome> Reply);

/// <summary>Who waits for a transaction's end to begin the next. Not durable; runs on the shard's turn.</summary>
internal sealed class TransactionWaits
{
    private const int WaitingMaxOfOne = 100;
    private const int WaitingMax = 100_000;

    private readonly Dictionary<string, List<AskedParts>> _byId = [];
    private int _count;

    /// <summary>False when too many wait already.</summary>
    public bool TryAdd(AskedParts asked)
    {
        if (!_byId.TryGetValue(asked.Producer.TransactionalId, out var waiting))
            _byId.Add(asked.Producer.TransactionalId, waiting = []);
        if (waiting.Count >= WaitingMaxOfOne || _count >= WaitingMax)
            return false;
        waiting.Add(asked);
        _count++;
        return true;
    }

    public IReadOnlyList<AskedParts> Take(string transactionalId)
    {
        if (!_byId.Remove(transactionalId, out var waiting))
            return [];
        _count -= waiting.Count;
        return waiting;
    }

    public IReadOnlyList<AskedParts> TakeAll()
    {
        var all = _byId.Values.SelectMany(waiting => waiting).ToList();
        _byId.Clear();
        _count = 0;
        return all;
    }
}
