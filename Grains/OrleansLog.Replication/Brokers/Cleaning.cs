using OrleansLog.Protocol;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Replication.Brokers;

/// <summary>How a broker compacts its logs. Names, units and defaults are those of Kafka's <c>log.cleaner</c> configs.</summary>
public sealed record CleaningOptions
{
    /// <summary>How many logs are compacted side by side (<c>log.cleaner.threads</c>).</summary>
    public int LogsAtOnce { get; init; } = 1;

    /// <summary>The most memory for keys, of which each log that is being compacted gets its share (<c>log.cleaner.dedupe.buffer.size</c>).</summary>
    public long KeyBytesMax { get; init; } = 128L << 20;

    /// <summary>The most that is read and written in a second, in bytes, for all logs together (<c>log.cleaner.io.max.bytes.per.second</c>).</summary>
    public long BytesPerSecondMax { get; init; } = long.MaxValue;

    /// <inheritdoc cref="CompactionTools.Compressors"/>
    public Func<Protocol.Records.CompressionType, Protocol.Records.IRecordCompressor?> Compressors { get; init; } = static _ => null;

    /// <inheritdoc cref="CompactionTools.HashSeed"/>
    public (ulong, ulong) HashSeed { get; init; }
}

/// <summary>
/// Compacts the logs of a broker, whatever it leads or follows: always the one of which most is to be compacted, and that nobody is
/// compacting. Steps may run side by side.
/// </summary>
/// <param name="replicas">The broker's replicas.</param>
/// <param name="options">How it is done.</param>
/// <param name="time">The clock.</param>
public sealed class Cleaning(BrokerReplicas replicas, CleaningOptions options, TimeProvider time)
{
    private const long KeyBytesLeast = 1 << 20;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly HashSet<TopicPartition> _underWay = [];
    private readonly Dictionary<TopicPartition, long> _failedAt = [];
    private readonly Throttle _throttle = new(time);

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
        while (TakeDirtiest() is { } replica)
        {
            try
            {
                return await replica.CompactAsync(new()
                {
                    KeyBytesMax = Math.Max(KeyBytesLeast, options.KeyBytesMax / options.LogsAtOnce),
                    Compressors = options.Compressors,
                    HashSeed = options.HashSeed,
                    Pace = bytes => PaceAsync(bytes, ending),
                });
            }
            catch (IOException)
            {
                lock (_failedAt) _failedAt[replica.Id] = time.GetTimestamp();
            }
            finally
            {
                lock (_gate) _underWay.Remove(replica.Id);
            }
        }

        return null;
    }

    private PartitionReplica? TakeDirtiest()
    {
        lock (_gate)
        {
            var found = FindDirtiest();
            if (found is not null) _underWay.Add(found.Id);
            return found;
        }
    }

    private PartitionReplica? FindDirtiest()
    {
        (PartitionReplica Replica, double Dirt)? dirtiest = null;
        foreach (var replica in replicas.All)
        {
            if (replica.IsFailed || _underWay.Contains(replica.Id) || HasFailedLately(replica.Id) || DirtOf(replica) is not { } dirt) continue;
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
        await Task.Yield();
        await _throttle.WaitAsync((int)Math.Min(bytes, int.MaxValue), options.BytesPerSecondMax, ending);
    }
}
