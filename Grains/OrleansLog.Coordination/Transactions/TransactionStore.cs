namespace OrleansLog.Coordination.Transactions;

/// <summary>
/// The transactional ids of one shard, and a journal of what was replayed since the last append succeeded, to take it back
/// if one fails. Runs on the shard's turn.
/// </summary>
internal sealed class TransactionStore
{
    private readonly Dictionary<string, TransactionState> _states = [];
    private readonly List<(string Id, TransactionState? Former)> _journal = [];

    public IReadOnlyCollection<TransactionState> All => _states.Values;

    public int Mark => _journal.Count;

    public TransactionState? Find(string transactionalId) => _states.GetValueOrDefault(transactionalId);

    public void Replay(TransactionRecord record)
    {
        _journal.Add((record.TransactionalId, Find(record.TransactionalId)));
        Set(record.TransactionalId, record.State);
    }

    public void Accept() => _journal.Clear();

    /// <summary>Takes back what was replayed after <paramref name="mark"/>, and tells which states are in force again.</summary>
    public IReadOnlyList<TransactionState> RollBack(int mark)
    {
        var restored = new List<TransactionState>();
        for (var i = _journal.Count - 1; i >= mark; i--)
        {
            Set(_journal[i].Id, _journal[i].Former);
            if (_journal[i].Former is { } former) restored.Add(former);
        }
        _journal.RemoveRange(mark, _journal.Count - mark);
        return restored;
    }

    private void Set(string id, TransactionState? state)
    {
        if (state is null)
            _states.Remove(id);
        else
            _states[id] = state;
    }
}
