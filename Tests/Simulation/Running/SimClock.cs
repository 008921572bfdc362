namespace OrleansLog.Simulation.Running;

/// <summary>The clock of one process: it may run fast or slow, and its time of day may be off and jump.</summary>
public sealed class SimClock(SimScheduler scheduler, SimProcess process, double rate, TimeSpan offset) : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How far the time of day is off. The monotonic clock does not show it.</summary>
    public TimeSpan Offset { get; set; } = offset;

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => (long)(scheduler.NowUs * rate);

    public override DateTimeOffset GetUtcNow() => Start + Offset + TimeSpan.FromMicroseconds(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SimTimer(SimClock clock, Action callback) : ITimer
    {
        private long _setting;
        private TimeSpan _period;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            Set(dueTime);
            return true;
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }

        private void Set(TimeSpan dueTime)
        {
            var setting = ++_setting;
            if (dueTime == Timeout.InfiniteTimeSpan) return;
            clock.After(dueTime, () => Fire(setting));
        }

        private void Fire(long setting)
        {
            if (setting != _setting) return;
            if (_period > TimeSpan.Zero) Set(_period);
            callback();
        }
    }

    private void After(TimeSpan due, Action action) =>
        scheduler.After((long)Math.Ceiling(due.TotalMicroseconds / rate), () => process.Enter(action));
}
