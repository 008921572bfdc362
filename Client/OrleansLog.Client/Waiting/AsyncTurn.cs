namespace OrleansLog.Client.Waiting;

/// <summary>
/// Lets one at a time in, in the order of arrival. Who has waited goes on in the synchronization context that it came
/// from, and never on the thread of whoever left; that is why this is no <see cref="SemaphoreSlim"/>, which goes by the
/// thread pool. Any thread.
/// </summary>
internal sealed class AsyncTurn
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private bool _isTaken;

    /// <summary>Completes when it is the caller's turn, which lasts until <see cref="Leave"/>.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up waiting.</exception>
    public Task EnterAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
        TaskCompletionSource wait;
        lock (_gate)
        {
            if (!_isTaken)
            {
                _isTaken = true;
                return Task.CompletedTask;
            }

            _waiting.Enqueue(wait = new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        return wait.WaitAsync(cancellationToken);
    }

    public void Leave()
    {
        lock (_gate)
        {
            while (_waiting.TryDequeue(out var next))
                if (next.TrySetResult()) return;
            _isTaken = false;
        }
    }
}
