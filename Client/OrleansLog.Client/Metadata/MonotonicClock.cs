namespace OrleansLog.Client.Metadata;

/// <summary>Reads a clock as one that only moves forward.</summary>
internal static class MonotonicClock
{
    /// <summary>Milliseconds since some moment in the past.</summary>
    public static long MonotonicMs(this TimeProvider time)
    {
        var (seconds, rest) = Math.DivRem(time.GetTimestamp(), time.TimestampFrequency);
        return seconds * 1000 + rest * 1000 / time.TimestampFrequency;
    }

    /// <summary>Milliseconds since 1970 UTC.</summary>
    public static long UnixMs(this TimeProvider time) => (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond;
}
