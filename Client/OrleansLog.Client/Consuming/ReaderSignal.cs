using OrleansLog.Client.Waiting;

namespace OrleansLog.Client.Consuming;

/// <summary>Wakes the one reader. A signal that comes while nobody waits is kept.</summary>
internal sealed class ReaderSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiting;
    private bool _isSet;

    public void Set()
    {
        lock (_gate)
        {
            // A signal that nobody is there to take any more is for whoever waits next.
            _isSet = _waiting?.TrySetResult() != true;
            _waiting = null;
        }
    }

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource waiting;
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return Task.CompletedTask;
            }
            waiting = _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        return waiting.WaitAsync(cancellationToken);
    }
}
