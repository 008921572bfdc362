using OrleansLog.Protocol;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Replication.Brokers;

/// <summary>How a broker compacts its logs. Names, units and defaults are those of Kafka's <c>log.cleaner</c> configs.</summary>
public sealed record CleaningOptions
{
    /// <summary>The most memory for keys (<c>log.cleaner.dedupe.buffer.size</c>).</summary>
    public long KeyBytesMax { get; init; } = 128L << 20;

    /// <summary>The most that is read and written in a second, in bytes (<c>log.cleaner.io.max.bytes.per.second</c>).</summary>
    public double BytesPerSecondMax { get; init; } = double.MaxValue;

    /// <inheritdoc cref="CompactionTools.Compressors"/>
    public Func<Protocol.Records.CompressionType, Protocol.Records.IRecordCompressor?> Compressors { get; init; } = static _ => null;

    /// <inheritdoc cref="CompactionTools.HashSeed"/>
    public (ulong, ulong) HashSeed { get; init; }
}

/// <summary>
/// Compacts the logs of a broker, one after another, whatever it leads or follows: always the one of which most is to be
/// compacted. One turn at a time.
/// </summary>
/// <param name="replicas">The broker's replicas.</param>
/// <param name="options">How it is done.</param>
/// <param name="time">The clock.</param>
public sealed class Cleaning(BrokerReplicas replicas, CleaningOptions options, TimeProvider time)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMinutes(5);

    private readonly Dictionary<TopicPartition, long> _failedAt = [];
    private long _startedAt;
    private double _bytes;

    /// <summary>Logs whose compaction failed lately: they are tried again after a while.</summary>
    public int FailedCount
    {
        get
        {
            lock (_failedAt) return _failedAt.Count;
        }
    }

    /// <summary>Compacts the log that needs it most.</summary>
    /// <returns>What was done; null when there is nothing to do for now.</returns>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public async Task<CompactionResult?> StepAsync(CancellationToken ending)
    {
        while (FindDirtiest() is { } replica)
        {
            (_startedAt, _bytes) = (time.GetTimestamp(), 0);
            try
            {
                return await replica.CompactAsync(new()
                {
                    KeyBytesMax = options.KeyBytesMax,
                    Compressors = options.Compressors,
                    HashSeed = options.HashSeed,
                    Pace = bytes => PaceAsync(bytes, ending),
                });
            }
            catch (IOException)
            {
                lock (_failedAt) _failedAt[replica.Id] = time.GetTimestamp();
            }
        }

        return null;
    }

    private PartitionReplica? FindDirtiest()
    {
        (PartitionReplica Replica, double Dirt)? dirtiest = null;
        foreach (var replica in replicas.All)
        {
            if (replica.IsFailed || HasFailedLately(replica.Id) || DirtOf(replica) is not { } dirt) continue;
            if (dirtiest is null || dirt > dirtiest.Value.Dirt) dirtiest = (replica, dirt);
        }

        return dirtiest?.Replica;
    }

    // Null when nothing is due. What only has tombstones to lose comes last.
    private static double? DirtOf(PartitionReplica replica)
    {
        if (replica.Log.Options.Compaction is not { } compaction) return null;
        try
        {
            var backlog = replica.Log.CompactionBacklog(replica.HighWatermark);
            return backlog.IsDue(compaction) ? backlog.DirtyRatio : null;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It is being closed, or its disk fails, which others find out.
            return null;
        }
    }

    private bool HasFailedLately(TopicPartition partition)
    {
        lock (_failedAt)
        {
            if (!_failedAt.TryGetValue(partition, out var at)) return false;
            return time.GetElapsedTime(at) < RetryDelay || !_failedAt.Remove(partition);
        }
    }

    // Others have their turn after each piece of work.
    private async ValueTask PaceAsync(long bytes, CancellationToken ending)
    {
        ending.ThrowIfCancellationRequested();
        _bytes += bytes;
        var ahead = TimeSpan.FromSeconds(Math.Min(3600, _bytes / options.BytesPerSecondMax)) - time.GetElapsedTime(_startedAt);
        if (ahead > TimeSpan.Zero) await Task.Delay(ahead, time, ending);
        else await Task.Yield();
    }
}
