namespace OrleansLog.Broker;

/// <summary>
/// Holds up what a paused broker would do, as if its process had been stopped (SIGSTOP): what reaches the gate goes on
/// when the broker does, and finds a world that has moved on. Any thread.
/// </summary>
public sealed class PauseGate
{
    private TaskCompletionSource? _pause;

    public bool IsPaused => Volatile.Read(ref _pause) is not null;

    /// <summary>Completes at once, or when the pause ends.</summary>
    public ValueTask PassAsync(CancellationToken cancellationToken = default) =>
        Volatile.Read(ref _pause) is { } pause ? new(pause.Task.WaitAsync(cancellationToken)) : default;

    internal void Close() => Interlocked.CompareExchange(ref _pause, new(TaskCreationOptions.RunContinuationsAsynchronously), null);

    internal void Open() => Interlocked.Exchange(ref _pause, null)?.SetResult();
}
