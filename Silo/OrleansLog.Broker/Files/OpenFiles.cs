namespace OrleansLog.Broker.Files;

/// <summary>
/// Bounds how many files are open at once. When one more is opened, those that nobody has used for a round are closed,
/// the longest open first; files with unflushed writes stay. The bound is soft: files in use are never closed.
/// </summary>
internal sealed class OpenFiles(int filesMax)
{
    public const int DefaultFilesMax = 4096;

    private readonly Lock _gate = new();
    private readonly Queue<WeakReference<PhysicalLogFile>> _round = [];
    private int _count;

    /// <summary>How many are open now.</summary>
    public int Count => Volatile.Read(ref _count);

    public void Opened(PhysicalLogFile file)
    {
        Interlocked.Increment(ref _count);
        lock (_gate)
        {
            _round.Enqueue(new WeakReference<PhysicalLogFile>(file));
            for (var looks = _round.Count; looks > 0 && _round.Count > filesMax; looks--) LookAtOldest();
        }
    }

    public void Closed() => Interlocked.Decrement(ref _count);

    private void LookAtOldest()
    {
        var oldest = _round.Dequeue();
        if (!oldest.TryGetTarget(out var file)) return;
        if (file.WasUsed || !file.TryEvict()) _round.Enqueue(oldest);
        file.WasUsed = false;
    }
}
