namespace OrleansLog.Client.Consuming;

/// <summary>Wakes the one reader. A signal that comes while nobody waits is kept.</summary>
internal sealed class ReaderSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private bool _isSet;

    public void Set()
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            waiting = _waiting;
            _waiting = null;
            _isSet = waiting is null;
        }
        waiting?.TrySetResult();
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource waiting;
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return;
            }
            waiting = _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        try
        {
            await waiting.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A signal that nobody is there to take any more is for whoever waits next.
            lock (_gate)
            {
                _isSet |= _waiting != waiting;
                _waiting = null;
            }
            throw;
        }
    }
}
