namespace OrleansLog.Storage;

/// <summary>
/// Bounds what all logs of a broker together would have to read after a crash. While they stay below, each log goes by
/// its own <see cref="LogOptions.CheckpointBytes"/>; above, a log that holds more than its share checkpoints with its next
/// append. One per broker; any thread.
/// </summary>
/// <param name="bytesMax">The bound. It is soft: logs that fall idle keep what they hold until they are checkpointed.</param>
public sealed class RecoveryBudget(long bytesMax = RecoveryBudget.DefaultBytesMax)
{
    public const long DefaultBytesMax = 512L << 20;

    private long _bytes;
    private int _logs;

    /// <summary>What would have to be read now.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    internal void Change(long bytes, int logs)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (logs != 0) Interlocked.Add(ref _logs, logs);
    }

    internal bool IsExceededBy(long bytesOfLog) =>
        Bytes > bytesMax && bytesOfLog > bytesMax / Math.Max(1, Volatile.Read(ref _logs));
}
