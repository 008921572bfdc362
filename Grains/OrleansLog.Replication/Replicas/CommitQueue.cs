using OrleansLog.Protocol;

namespace OrleansLog.Replication.Replicas;

/// <summary>Appends of one leadership that wait for their commit, in offset order. The leader's turn only.</summary>
internal sealed class CommitQueue(int waitersMax)
{
    private readonly Queue<Waiter> _waiting = new();

    /// <summary>Whether one more may wait.</summary>
    public bool HasRoom => _waiting.Count < waitersMax;

    /// <summary>Completes when everything below <paramref name="end"/> is committed, or with what prevented it.</summary>
    public Task<ErrorCode> WaitAsync(Offset end)
    {
        var waiter = new Waiter(end);
        _waiting.Enqueue(waiter);
        return waiter.Task;
    }

    public void CommitTo(Offset end)
    {
        while (_waiting.TryPeek(out var waiter) && waiter.End <= end) _waiting.Dequeue().SetResult(ErrorCode.None);
    }

    public void Fail(ErrorCode error)
    {
        while (_waiting.TryDequeue(out var waiter)) waiter.SetResult(error);
    }

    private sealed class Waiter(Offset end) : TaskCompletionSource<ErrorCode>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Offset End => end;
    }
}
