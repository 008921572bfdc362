namespace OrleansLog.Replication.Replicas;

/// <summary>
/// Lets one piece of asynchronous work at a time into a partition, in the order of arrival. Waits are as many as the
/// leader's appends in flight and the replica's own few tasks. Any thread.
/// </summary>
internal sealed class PartitionTurn
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _isTaken;

    /// <summary>Completes when it is the caller's turn, which lasts until the result is disposed.</summary>
    public async ValueTask<Held> EnterAsync()
    {
        TaskCompletionSource? wait = null;
        lock (_gate)
        {
            if (_isTaken) _waiting.Enqueue(wait = new(TaskCreationOptions.RunContinuationsAsynchronously));
            _isTaken = true;
        }

        if (wait is not null) await wait.Task;
        return new Held(this);
    }

    private void Leave()
    {
        TaskCompletionSource? next;
        lock (_gate)
            if (!_waiting.TryDequeue(out next)) _isTaken = false;
        next?.SetResult();
    }

    /// <summary>A turn. Dispose of it once.</summary>
    public readonly struct Held(PartitionTurn turn) : IDisposable
    {
        public void Dispose() => turn.Leave();
    }
}
