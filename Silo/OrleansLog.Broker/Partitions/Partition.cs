using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// The leader of one partition on this broker: takes appends one at a time, makes them durable as the topic's flush
/// policy says, moves the high watermark, and serves reads below it. Appending takes the partition's turn, a lock held
/// for a write into the page cache; reading takes none.
/// </summary>
public sealed class Partition : IAsyncDisposable
{
    private readonly Lock _turn = new();
    private readonly PartitionLog _log;
    private readonly CommitQueue _commits;
    private readonly FetchWaits _fetchWaits = new();
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private PartitionSettings _settings;
    private long _highWatermark;
    private bool _settling;
    private bool _closed;

    public Partition(
        TopicPartition id, LeaderEpoch leaderEpoch, PartitionLog log, PartitionSettings settings, TimeProvider time, ILogger logger)
    {
        Id = id;
        LeaderEpoch = leaderEpoch;
        _log = log;
        _settings = settings;
        _time = time;
        _logger = logger;
        // The only replica: whatever its recovery found whole is what was committed.
        _highWatermark = log.LogEndOffset.Value;
        _commits = new CommitQueue(log.LogEndOffset);
    }

    public TopicPartition Id { get; }

    public LeaderEpoch LeaderEpoch { get; }

    /// <summary>The log below. For reading; appends go through <see cref="Append"/>.</summary>
    public PartitionLog Log => _log;

    /// <summary>What the topic asks for at the moment.</summary>
    public PartitionSettings Settings => Volatile.Read(ref _settings);

    /// <summary>Readers see what lies below. Never moves back.</summary>
    public Offset HighWatermark => new(Volatile.Read(ref _highWatermark));

    /// <summary>
    /// Appends the batches of one produce request. On return they are in the log, in order and with their offsets
    /// assigned in place, so the caller may reuse the memory; <see cref="AppendOutcome.Committed"/> tells when they are
    /// as durable as the topic asks. Callable from any thread.
    /// </summary>
    public AppendOutcome Append(Memory<byte> batches)
    {
        var settings = Volatile.Read(ref _settings);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var refusal = BatchRules.Check(batches.Span, settings, now);
        if (refusal != ErrorCode.None)
            return AppendOutcome.Refused(refusal);
        lock (_turn)
            return _closed ? AppendOutcome.Refused(ErrorCode.NotLeaderOrFollower) : AppendInTurn(batches, settings, now);
    }

    /// <summary>Where committed batches lie, from <paramref name="from"/> on.</summary>
    /// <param name="from">The first offset wanted.</param>
    /// <param name="bytesMax">Whole batches up to this many bytes.</param>
    /// <param name="minOneBatch">The first batch comes whole even when it alone is larger.</param>
    public LogRead Read(Offset from, int bytesMax, bool minOneBatch) =>
        _log.Read(from, bytesMax, HighWatermark, minOneBatch);

    /// <summary>Whether a client that says it knows the leader by <paramref name="epoch"/> means this leadership (KIP-320).</summary>
    public ErrorCode CheckEpoch(int epoch) =>
        epoch == LeaderEpoch.None.Value || epoch == LeaderEpoch.Value ? ErrorCode.None
        : epoch < LeaderEpoch.Value ? ErrorCode.FencedLeaderEpoch
        : ErrorCode.UnknownLeaderEpoch;

    /// <summary>Registers a long poll; look for news once more after this, then wait.</summary>
    public void Add(FetchWait wait) => _fetchWaits.Add(wait);

    public void Remove(FetchWait wait) => _fetchWaits.Remove(wait);

    /// <summary>Puts a changed topic configuration in force.</summary>
    public void Configure(PartitionSettings settings)
    {
        lock (_turn)
        {
            _log.Options = settings.Log;
            Volatile.Write(ref _settings, settings);
        }
    }

    /// <summary>Makes records before <paramref name="offset"/> unreadable and frees whole segments of them (DeleteRecords).</summary>
    public async ValueTask<(ErrorCode Error, Offset LogStart)> DeleteBeforeAsync(Offset offset)
    {
        var before = offset == Offset.None ? HighWatermark : offset;
        if (before > HighWatermark || before < Offset.Zero)
            return (ErrorCode.OffsetOutOfRange, Offset.None);
        try
        {
            await _log.DeleteBeforeAsync(before);
            return (ErrorCode.None, _log.LogStartOffset);
        }
        catch (StorageException failed)
        {
            _logger.LogError("Records of {Partition} before {Offset} could not be deleted: {Reason}", Id, before, failed.Message);
            return (ErrorCode.KafkaStorageError, Offset.None);
        }
    }

    /// <summary>
    /// Frees the segments that the topic's retention no longer keeps, and notes how far recovery need not look in a
    /// log that fell idle.
    /// </summary>
    public async ValueTask TidyAsync()
    {
        try
        {
            var keepFrom = Offset.Min(_log.RetentionOffset(_time.GetUtcNow().ToUnixTimeMilliseconds()), HighWatermark);
            if (keepFrom > _log.LogStartOffset)
                await _log.DeleteBeforeAsync(keepFrom);
            if (_log.Failure is null)
                await _log.CheckpointAsync();
        }
        catch (IOException failed)
        {
            _logger.LogWarning("{Partition} could not be tidied: {Reason}", Id, failed.Message);
        }
    }

    /// <summary>Takes no more appends, fails what waits, flushes and closes the log.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_turn)
            _closed = true;
        _fetchWaits.WakeAll();
        await _log.DisposeAsync();
        _commits.Fail(ErrorCode.NotLeaderOrFollower);
    }

    private AppendOutcome AppendInTurn(Memory<byte> batches, PartitionSettings settings, long now)
    {
        try
        {
            var appended = _log.Append(batches, LeaderEpoch);
            var end = appended.LastOffset + 1;
            PartitionMetrics.Appended(end - appended.BaseOffset, batches.Length);
            Commit(_log.SettledOffset);
            if (HighWatermark < end)
                StartSettling();
            return new AppendOutcome(
                ErrorCode.None, appended.BaseOffset, settings.StampsAppendTime ? now : -1, _log.LogStartOffset, _commits.WaitAsync(end));
        }
        catch (StorageException failed)
        {
            _logger.LogError("An append to {Partition} failed: {Reason}", Id, failed.Message);
            return AppendOutcome.Refused(ErrorCode.KafkaStorageError);
        }
    }

    private void StartSettling()
    {
        if (_settling)
            return;
        _settling = true;
        _ = SettleAsync();
    }

    /// <summary>Flushes as long as there is something new: what is appended during one flush shares the next.</summary>
    private async Task SettleAsync()
    {
        try
        {
            while (TakeUnsettled() is { } end)
            {
                await _log.SettleAsync(end);
                Commit(_log.SettledOffset);
            }
        }
        catch (Exception failed) // Whatever it was: nobody must wait for a commit that no flush will bring.
        {
            _logger.LogCritical("{Partition} takes no more writes until the broker restarts: {Reason}", Id, failed.Message);
            _commits.Fail(ErrorCode.KafkaStorageError);
        }
    }

    private Offset? TakeUnsettled()
    {
        lock (_turn)
        {
            var end = _log.LogEndOffset;
            _settling = end > HighWatermark;
            return _settling ? end : null;
        }
    }

    private void Commit(Offset end)
    {
        lock (_turn)
        {
            if (end <= HighWatermark)
                return;
            Volatile.Write(ref _highWatermark, end.Value);
            _commits.CommitTo(end);
        }
        _fetchWaits.WakeAll();
    }
}

/// <summary>What became of an append.</summary>
/// <param name="Error">Why nothing was appended, or None.</param>
/// <param name="BaseOffset">Where the first record lies.</param>
/// <param name="AppendTimeMs">The time that the broker stamped on the records, or -1 where they keep their own.</param>
/// <param name="LogStart">The first offset that can still be read.</param>
/// <param name="Committed">Completes when the append is committed, or with what prevented it. Await it once.</param>
public readonly record struct AppendOutcome(
    ErrorCode Error, Offset BaseOffset, long AppendTimeMs, Offset LogStart, ValueTask<ErrorCode> Committed)
{
    public static AppendOutcome Refused(ErrorCode error) => new(error, Offset.None, -1, Offset.None, new(error));
}
