namespace OrleansLog.Storage;

/// <summary>
/// Segments that were deleted and may still be read by those who found them before: their files are closed, and their
/// space given back, after a delay. Has a timer only while there are any.
/// </summary>
internal sealed class RetiredSegments(TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<(Segment Segment, long DueMs)> _waiting = [];
    private ITimer? _timer;

    public void Add(IEnumerable<Segment> segments, long delayMs)
    {
        lock (_gate)
        {
            foreach (var segment in segments) _waiting.Enqueue((segment, NowMs + delayMs));
            Arm();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            while (_waiting.TryDequeue(out var retired)) retired.Segment.Close();
        }
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private void Arm()
    {
        _timer?.Dispose();
        _timer = null;
        if (!_waiting.TryPeek(out var next)) return;
        var delay = TimeSpan.FromMilliseconds(Math.Max(1, next.DueMs - NowMs));
        _timer = time.CreateTimer(static state => ((RetiredSegments)state!).CloseDue(), this, delay, Timeout.InfiniteTimeSpan);
    }

    private void CloseDue()
    {
        lock (_gate)
        {
            while (_waiting.TryPeek(out var retired) && retired.DueMs <= NowMs) _waiting.Dequeue().Segment.Close();
            Arm();
        }
    }
}
