using OrleansLog.Protocol;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// Appends that wait for their last record to be committed, in offset order. Adding is one turn at a time, as appending
/// is; completing comes from wherever the high watermark moves. At most as many wait as requests are in flight.
/// </summary>
internal sealed class CommitQueue
{
    private readonly Lock _lock = new();
    private readonly Queue<Waiter> _waiting = new();
    private Offset _committed;
    private ErrorCode _failure = ErrorCode.None;

    public CommitQueue(Offset committed) => _committed = committed;

    /// <summary>Completes when everything below <paramref name="end"/> is committed, or with the error that prevents it.</summary>
    public ValueTask<ErrorCode> WaitAsync(Offset end)
    {
        lock (_lock)
        {
            if (_committed >= end || _failure != ErrorCode.None)
                return new(_committed >= end ? ErrorCode.None : _failure);
            var waiter = new Waiter(end);
            _waiting.Enqueue(waiter);
            return new(waiter.Task);
        }
    }

    public void CommitTo(Offset end)
    {
        lock (_lock)
        {
            _committed = end;
            while (_waiting.TryPeek(out var waiter) && waiter.End <= end)
                _waiting.Dequeue().SetResult(ErrorCode.None);
        }
    }

    /// <summary>Fails everything that waits and everything that comes: the partition takes no more writes.</summary>
    public void Fail(ErrorCode error)
    {
        lock (_lock)
        {
            _failure = error;
            while (_waiting.TryDequeue(out var waiter))
                waiter.SetResult(error);
        }
    }

    private sealed class Waiter(Offset end)
        : TaskCompletionSource<ErrorCode>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Offset End => end;
    }
}
