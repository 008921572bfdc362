namespace OrleansLog.Storage.Tiering;

/// <summary>Lets bytes pass at a rate, first come, first served: whoever is early waits for its turn. Any thread.</summary>
/// <param name="bytesPerSecond">The rate; <see cref="long.MaxValue"/> for no limit.</param>
/// <param name="time">Tells the time; only differences count.</param>
internal sealed class Pace(long bytesPerSecond, TimeProvider time)
{
    private readonly Lock _gate = new();
    private TimeSpan _freeAt;

    /// <summary>Completes when what was taken before has had its time.</summary>
    public Task TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytes == 0 || bytesPerSecond == long.MaxValue) return Task.CompletedTask;
        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetElapsedTime(0);
            if (_freeAt < now) _freeAt = now;
            wait = _freeAt - now;
            _freeAt += TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        }

        return wait <= TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait, time, cancellationToken);
    }
}
