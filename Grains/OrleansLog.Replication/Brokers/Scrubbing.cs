using OrleansLog.Replication.Replicas;

namespace OrleansLog.Replication.Brokers;

/// <summary>
/// Reads everything that a broker keeps, from time to time and slowly, so that a replica whose bytes have changed on the disk
/// is repaired while others still have them. One turn at a time.
/// </summary>
/// <param name="replicas">The broker's replicas.</param>
/// <param name="interval">From the beginning of one pass to that of the next; <see cref="Timeout.InfiniteTimeSpan"/> for no pass at all.</param>
/// <param name="bytesPerSecondMax">The most that is read in a second.</param>
/// <param name="time">The clock.</param>
public sealed class Scrubbing(BrokerReplicas replicas, TimeSpan interval, long bytesPerSecondMax, TimeProvider time)
{
    // More at once would hold up the one who calls.
    private const int StepBytesMax = 1 << 20;

    private readonly Queue<PartitionReplica> _left = new();
    private long? _beganAt;

    /// <summary>How often <see cref="Step"/> is to be called.</summary>
    public static readonly TimeSpan StepInterval = TimeSpan.FromSeconds(1);

    /// <summary>Reads on for as much as a second allows.</summary>
    /// <returns>The bytes that were read.</returns>
    public long Step()
    {
        if (interval == Timeout.InfiniteTimeSpan) return 0;
        if (_left.Count == 0 && IsPassDue()) BeginPass();
        var read = 0L;
        while (read < bytesPerSecondMax && _left.TryPeek(out var replica))
        {
            var bytes = replica.Scrub((int)Math.Min(StepBytesMax, bytesPerSecondMax - read));
            if (bytes == 0) _left.Dequeue();
            read += bytes;
        }

        return read;
    }

    private bool IsPassDue() => _beganAt is not { } beganAt || time.GetElapsedTime(beganAt) >= interval;

    private void BeginPass()
    {
        _beganAt = time.GetTimestamp();
        foreach (var replica in replicas.All) _left.Enqueue(replica);
    }
}
