using OrleansLog.Protocol;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// Appends of one leadership that wait for their commit, in the order in which they came: that of their offsets, but for what
/// a producer sent again, which may wait a little longer than it must. The leader's turn only.
/// </summary>
internal sealed class CommitQueue(int waitersMax)
{
    private readonly Queue<Waiter> _waiting = new();

    /// <summary>Whether one more may wait.</summary>
    public bool HasRoom => _waiting.Count < waitersMax;

    /// <summary>
    /// Completes when everything below <paramref name="end"/> is committed, or with what prevented it, be it that it took
    /// until <paramref name="deadlineMs"/>.
    /// </summary>
    public Task<ErrorCode> WaitAsync(Offset end, long deadlineMs)
    {
        var waiter = new Waiter(end, deadlineMs);
        _waiting.Enqueue(waiter);
        return waiter.Task;
    }

    public void CommitTo(Offset end)
    {
        while (_waiting.TryPeek(out var waiter) && waiter.End <= end) _waiting.Dequeue().TrySetResult(ErrorCode.None);
    }

    /// <summary>Answers who has waited for too long. What they appended may be committed all the same.</summary>
    public void Expire(long nowMs)
    {
        foreach (var waiter in _waiting)
            if (waiter.DeadlineMs <= nowMs) waiter.TrySetResult(ErrorCode.RequestTimedOut);
    }

    public void Fail(ErrorCode error)
    {
        while (_waiting.TryDequeue(out var waiter)) waiter.TrySetResult(error);
    }

    private sealed class Waiter(Offset end, long deadlineMs) : TaskCompletionSource<ErrorCode>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Offset End => end;

        public long DeadlineMs => deadlineMs;
    }
}
