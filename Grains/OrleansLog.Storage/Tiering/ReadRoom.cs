namespace OrleansLog.Storage.Tiering;

/// <summary>
/// The memory for what is fetched from a remote store. What a reader waits for is given room, if need be after others that are on
/// their way have come; what is fetched ahead takes only the room of what was read to the end, or lies there for nobody.
/// For its owner's lock.
/// </summary>
/// <param name="bytesMax">How much there is.</param>
/// <param name="time">The clock; only differences count.</param>
/// <param name="evicted">Told of each block that had to go.</param>
internal sealed class ReadRoom(long bytesMax, TimeProvider time, Action<StoredBlock> evicted)
{
    // Whoever was to read it has gone away.
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromSeconds(30);

    private readonly BlockShelf _unread = new();
    private readonly BlockShelf _spent = new();
    private readonly Queue<(int Bytes, TaskCompletionSource Turn)> _waiting = [];
    private long _onTheirWay;

    /// <summary>Bytes that are here or on their way.</summary>
    public long Bytes => _unread.Bytes + _spent.Bytes + _onTheirWay;

    /// <summary>The block with a part; null when none has it.</summary>
    public StoredBlock? Find(string segment, int part)
    {
        var found = _unread.Find(segment, part) ?? _spent.Find(segment, part);
        if (found is not null) found.UsedAt = time.GetTimestamp();
        return found;
    }

    public StoredBlock? Peek(string segment, int part) => _unread.Peek(segment, part) ?? _spent.Peek(segment, part);

    /// <summary>Takes room for what somebody waits for; the task completes when there is some.</summary>
    public Task TakeAsync(int bytes)
    {
        if (_waiting.Count == 0 && TryTake(bytes, _spent, _unread)) return Task.CompletedTask;
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue((bytes, turn));
        return turn.Task;
    }

    /// <summary>Takes room for what nobody waits for yet, if there is some.</summary>
    public bool TryTakeAhead(int bytes)
    {
        while (_unread.Oldest is { } oldest && IsForgotten(oldest)) Evict(oldest);
        return _waiting.Count == 0 && Bytes + bytes - _spent.Bytes <= bytesMax && TryTake(bytes, _spent);
    }

    /// <summary>Puts a block where room was taken for it.</summary>
    public void Put(StoredBlock block)
    {
        _onTheirWay -= block.Length;
        block.UsedAt = time.GetTimestamp();
        _unread.Add(block);
        ServeWaiting();
    }

    /// <summary>Gives room back that was taken for what did not come.</summary>
    public void Return(int bytes)
    {
        _onTheirWay -= bytes;
        ServeWaiting();
    }

    /// <summary>A block was read to its end.</summary>
    public void NoteSpent(StoredBlock block)
    {
        if (!_unread.Has(block)) return;
        _unread.Remove(block);
        _spent.Add(block);
    }

    /// <summary>Drops what nobody has asked for lately.</summary>
    public void DropForgotten()
    {
        foreach (var shelf in new[] { _spent, _unread })
            while (shelf.Oldest is { } oldest && IsForgotten(oldest)) Evict(oldest);
    }

    private bool TryTake(int bytes, params ReadOnlySpan<BlockShelf> giving)
    {
        foreach (var shelf in giving)
            while (Bytes + bytes > bytesMax && shelf.Oldest is { } oldest) Evict(oldest);
        if (Bytes + bytes > bytesMax && Bytes > 0) return false;
        _onTheirWay += bytes;
        return true;
    }

    private void ServeWaiting()
    {
        while (_waiting.TryPeek(out var next) && TryTake(next.Bytes, _spent, _unread))
            _waiting.Dequeue().Turn.SetResult();
    }

    private bool IsForgotten(StoredBlock block) => time.GetElapsedTime(block.UsedAt) >= ForgottenAfter;

    private void Evict(StoredBlock block)
    {
        (_unread.Has(block) ? _unread : _spent).Remove(block);
        evicted(block);
    }
}
