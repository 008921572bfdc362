namespace OrleansLog.Storage;

/// <summary>
/// Shares a rate of bytes among all who send them, first come, first served: whoever is early waits for its turn, and what it
/// did not use is given back. Any thread.
/// </summary>
/// <param name="time">Tells the time; only differences count.</param>
public sealed class Throttle(TimeProvider time)
{
    private readonly Lock _gate = new();
    private TimeSpan _freeAt;

    /// <summary>Completes when so many bytes may be sent.</summary>
    /// <param name="bytes">The most that will be sent.</param>
    /// <param name="bytesPerSecond">The rate; <see cref="long.MaxValue"/> for no limit.</param>
    /// <param name="cancellationToken">Gives the wait up; the time stays taken.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public Task WaitAsync(int bytes, long bytesPerSecond, CancellationToken cancellationToken)
    {
        if (bytes == 0 || bytesPerSecond == long.MaxValue) return Task.CompletedTask;
        TimeSpan wait;
        lock (_gate)
        {
            var now = Now;
            if (_freeAt < now) _freeAt = now;
            wait = _freeAt - now;
            _freeAt += Cost(bytes, bytesPerSecond);
        }

        return wait <= TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait, time, cancellationToken);
    }

    /// <summary>Gives back what was waited for and not sent; takes what was sent beyond it, if negative.</summary>
    public void Return(int bytes, long bytesPerSecond)
    {
        if (bytes == 0 || bytesPerSecond == long.MaxValue) return;
        lock (_gate) _freeAt -= Cost(bytes, bytesPerSecond);
    }

    private TimeSpan Now => time.GetElapsedTime(0);

    private static TimeSpan Cost(int bytes, long bytesPerSecond) => TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
}
