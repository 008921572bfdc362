namespace OrleansLog.Coordination.Runtime;

/// <summary>
/// Many timers behind one. Moving a timer to a later time, which every heartbeat does, costs a dictionary write: the
/// heap keeps the old entry, and it is put right when it comes up.
/// Used within the shard's turn.
/// </summary>
internal sealed class TimerQueue
{
    private readonly Dictionary<TimerKey, long> _deadlines = [];
    private readonly PriorityQueue<TimerKey, long> _heap = new();

    /// <summary>The key's earliest entry in the heap, so that a key is not queued again without need.</summary>
    private readonly Dictionary<TimerKey, long> _queued = [];

    public int Count => _deadlines.Count;

    public void Apply(TimerCommand command, long nowMs)
    {
        if (command.DelayMs is not { } delayMs)
        {
            _deadlines.Remove(command.Key);
            return;
        }
        if (command.IfUnset && _deadlines.ContainsKey(command.Key))
            return;
        // Never at once: a timer that sets itself again must not keep the turn for ever.
        var deadline = nowMs + Math.Max(1, delayMs);
        _deadlines[command.Key] = deadline;
        if (!_queued.TryGetValue(command.Key, out var queued) || deadline < queued)
            Enqueue(command.Key, deadline);
    }

    /// <summary>Takes one timer that is due, and forgets it.</summary>
    public bool TryTakeDue(long nowMs, out TimerKey key)
    {
        while (NextDeadlineMs() is { } next && next <= nowMs)
        {
            key = _heap.Dequeue();
            _queued.Remove(key);
            _deadlines.Remove(key);
            return true;
        }
        key = default;
        return false;
    }

    /// <summary>When the next timer is due, or null when none is set.</summary>
    public long? NextDeadlineMs()
    {
        while (_heap.TryPeek(out var key, out var queued))
        {
            if (_deadlines.TryGetValue(key, out var deadline) && deadline == queued)
                return deadline;
            Requeue(key, queued);
        }
        return null;
    }

    public void Clear()
    {
        _deadlines.Clear();
        _heap.Clear();
        _queued.Clear();
    }

    private void Requeue(TimerKey key, long queued)
    {
        _heap.Dequeue();
        if (!_queued.TryGetValue(key, out var latest) || latest != queued)
            return;
        _queued.Remove(key);
        if (_deadlines.TryGetValue(key, out var deadline))
            Enqueue(key, deadline);
    }

    private void Enqueue(TimerKey key, long deadline)
    {
        _queued[key] = deadline;
        _heap.Enqueue(key, deadline);
    }
}
