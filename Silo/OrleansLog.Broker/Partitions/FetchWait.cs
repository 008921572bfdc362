namespace OrleansLog.Broker.Partitions;

/// <summary>
/// A long poll that found too little: it registers with the partitions that it asked for and is woken by the first that
/// has more to read. Woken once; waking is cheap and may come from any thread.
/// </summary>
public sealed class FetchWait() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public void Wake() => TrySetResult();
}

/// <summary>The long polls that wait for one partition.</summary>
internal sealed class FetchWaits
{
    private readonly Lock _lock = new();
    private readonly List<FetchWait> _waiting = [];
    private volatile bool _any;

    public void Add(FetchWait wait)
    {
        lock (_lock)
        {
            _waiting.Add(wait);
            _any = true;
        }
    }

    public void Remove(FetchWait wait)
    {
        lock (_lock)
        {
            _waiting.Remove(wait);
            _any = _waiting.Count > 0;
        }
    }

    public void WakeAll()
    {
        // Orders the caller's new high watermark before the look at who waits; Add and a second read do the reverse.
        Interlocked.MemoryBarrier();
        if (!_any)
            return;
        lock (_lock)
        {
            foreach (var wait in _waiting)
                wait.Wake();
            _waiting.Clear();
            _any = false;
        }
    }
}
