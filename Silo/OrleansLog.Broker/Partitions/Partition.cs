using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Tracing;
using OrleansLog.Broker.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Partitions;

/// <summary>
/// One partition on this broker as endpoints see it: its replica here, together with the topic's rules for what may be
/// produced and the long polls that wait for it. Any thread.
/// </summary>
public sealed class Partition
{
    private readonly PartitionReplica _replica;
    private readonly FetchWaits _fetchWaits = new();
    private readonly TransactionalAppends _transactional;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PartitionTier? _tier;
    private readonly RemoteBacklog? _backlog;
    private PartitionSettings _settings;

    /// <param name="replica">The replica here.</param>
    /// <param name="settings">What the topic asks for.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of what goes wrong.</param>
    /// <param name="remote">The brokers' remote store; null where there is none.</param>
    public Partition(PartitionReplica replica, PartitionSettings settings, TimeProvider time, ILogger logger, RemoteTier? remote = null)
    {
        _replica = replica;
        _tier = remote is null ? null : new PartitionTier(this, replica, remote.Cache, time, logger);
        _backlog = remote?.Backlog;
        _settings = settings;
        _transactional = new(this);
        _time = time;
        _logger = logger;
        replica.HighWatermarkMoved = _ => _fetchWaits.WakeAll();
    }

    public TopicPartition Id => _replica.Id;

    /// <summary>Whether this broker leads the partition, as far as it knows.</summary>
    public bool IsLeader => _replica.IsLeader;

    /// <summary>The epoch of this broker's leadership; none where it follows.</summary>
    public LeaderEpoch LeaderEpoch => _replica.LeaderEpoch;

    /// <summary>The partition's record as this broker, its leader, knows it; null where it follows.</summary>
    public PartitionRecord? Record => _replica.Leading?.Current.Record;

    /// <summary>The log below. For reading; appends go through <see cref="Append"/>.</summary>
    public PartitionLog Log => _replica.Log;

    /// <summary>The first offset that can be read, on the disk or in remote storage; null while a new leader does not know it yet.</summary>
    public Offset? LogStartOffset => IsTieredHere ? Tier?.LogStartOffset : Log.LogStartOffset;

    /// <summary>What remote storage holds of the partition, where this broker leads it and the topic is kept there; null otherwise.</summary>
    public TieredLog? Tier => _tier?.Current;

    /// <summary>What the topic asks for at the moment.</summary>
    public PartitionSettings Settings => Volatile.Read(ref _settings);

    /// <summary>Readers see what lies below, as far as this broker knows.</summary>
    public Offset HighWatermark => _replica.HighWatermark;

    /// <summary>
    /// Whether this leadership knows the high watermark at least as far as any before has told anybody. A new leader finds
    /// out from its followers.
    /// </summary>
    public bool KnowsHighWatermark => _replica.Leading?.KnowsHighWatermark ?? false;

    /// <summary>
    /// Appends the batches of one produce request. On return they are in the log, in order and with their offsets
    /// assigned in place, so the caller may reuse the memory; <see cref="AppendOutcome.Done"/> tells when they are as
    /// safe as was asked. A batch that an idempotent producer has sent again is answered with where it lies already.
    /// </summary>
    /// <param name="batches">Whole batches, back to back.</param>
    /// <param name="awaitsCommit">Whether every in-sync replica must hold them (<c>acks=all</c>), or this one alone.</param>
    /// <param name="commitTimeoutMs">How long the producer waits for that.</param>
    /// <param name="only">The one leadership in which to append; null for whichever there is.</param>
    /// <param name="transaction">What is known of the transaction that a batch belongs to.</param>
    public AppendOutcome Append(
        Memory<byte> batches, bool awaitsCommit = true, int commitTimeoutMs = int.MaxValue, LeaderEpoch? only = null, TransactionCheck transaction = default) =>
        BrokerTracing.IsOn
            ? AppendTraced(batches, awaitsCommit, commitTimeoutMs, only, transaction)
            : AppendUntraced(batches, awaitsCommit, commitTimeoutMs, only, transaction);

    /// <summary>
    /// Appends a batch of a broker's own making, which no topic's rules apply to: what a coordinator writes, or the end of a
    /// transaction. Otherwise as <see cref="Append"/>.
    /// </summary>
    internal AppendOutcome AppendOwn(Memory<byte> batch, LeaderEpoch? only, TransactionCheck transaction) =>
        OutcomeOf(_replica.Append(batch, awaitsCommit: true, int.MaxValue, only, transaction), batch.Length, stampedMs: -1);

    /// <inheritdoc cref="TransactionalAppends.AppendAsync"/>
    public ValueTask<AppendOutcome> AppendAsync(Memory<byte> batch, OpenTransaction transaction, int commitTimeoutMs, Func<Task<Verdict>> verify) =>
        _transactional.AppendAsync(batch, transaction, commitTimeoutMs, verify);

    /// <summary>Below it the outcome of every transaction is committed, as far as this broker knows.</summary>
    public Offset LastStableOffset => _replica.LastStableOffset;

    /// <summary>Where committed batches lie, from <paramref name="from"/> on.</summary>
    /// <param name="from">The first offset wanted.</param>
    /// <param name="bytesMax">Whole batches up to this many bytes.</param>
    /// <param name="minOneBatch">The first batch comes whole even when it alone is larger.</param>
    /// <param name="known">The latest leader epoch that the reader knows of; none if it does not say (KIP-320).</param>
    /// <param name="mayFollow">Whether a follower will do, which may lag behind (KIP-392).</param>
    /// <param name="stableOnly">Whether to end at the last stable offset.</param>
    public ReplicaRead Read(Offset from, int bytesMax, bool minOneBatch, LeaderEpoch known, bool mayFollow, bool stableOnly = false)
    {
        var read = mayFollow && !_replica.IsLeader
            ? _replica.ReadAtFollower(from, bytesMax, known, minOneBatch, stableOnly)
            : _replica.Read(from, bytesMax, known, minOneBatch, stableOnly);
        return read.Error == ErrorCode.OffsetOutOfRange && from < Log.LogStartOffset && IsTieredHere ? FromTier(read, from, bytesMax, minOneBatch) : read;
    }

    /// <summary>The aborted transactions that a reader of committed ones has to leave out of what it read from an offset on.</summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions(Offset from, in LogSlice slice) =>
        from < Log.LogStartOffset && Tier is { } tier ? tier.AbortedTransactions(from) : Log.AbortedTransactions(from, slice);

    /// <summary>The first record whose timestamp is at least the given one, wherever it is; null when there is none.</summary>
    /// <exception cref="IOException">What holds it cannot be read.</exception>
    public async ValueTask<TimestampedOffset?> FindByTimestampAsync(long timestampMs) =>
        Tier is { } tier && await tier.FindByTimestampAsync(timestampMs) is { } found && found.Offset < Log.LogStartOffset ? found : Log.FindByTimestamp(timestampMs);

    /// <summary>The first record with the latest timestamp of all, wherever it is; null when no record has one.</summary>
    /// <exception cref="IOException">What holds it cannot be read.</exception>
    public async ValueTask<TimestampedOffset?> FindMaxTimestampAsync()
    {
        var here = Log.FindMaxTimestamp();
        return Tier is { } tier && tier.MaxTimestampMs >= (here?.TimestampMs ?? 0) ? await tier.FindByTimestampAsync(tier.MaxTimestampMs) ?? here : here;
    }

    /// <summary>The largest leader epoch not above the asked one, wherever its records are, and where it ends (KIP-279).</summary>
    public EpochEndOffset EndOffsetFor(LeaderEpoch epoch) => Tier?.EndOffsetFor(epoch) ?? Log.EndOffsetFor(epoch);

    /// <summary>
    /// Whether this broker leads, and a client that says it knows the leader by <paramref name="epoch"/> means this
    /// leadership (KIP-320).
    /// </summary>
    public ErrorCode CheckLeader(int epoch)
    {
        var mine = LeaderEpoch;
        return epoch > _replica.Epoch.Value ? ErrorCode.UnknownLeaderEpoch
            : mine == LeaderEpoch.None ? ErrorCode.NotLeaderOrFollower
            : epoch != LeaderEpoch.None.Value && epoch < mine.Value ? ErrorCode.FencedLeaderEpoch
            : ErrorCode.None;
    }

    /// <summary>Whether a follower that this broker leads holds the record at an offset, as far as is known here.</summary>
    public bool IsHeldBy(BrokerId follower, Offset offset)
    {
        foreach (var progress in _replica.Leading?.Followers ?? [])
        {
            if (progress.Broker == follower)
                return progress.Matched >= offset;
        }
        return false;
    }

    /// <summary>Registers a long poll; look for news once more after this, then wait.</summary>
    public void Add(FetchWait wait) => _fetchWaits.Add(wait);

    public void Remove(FetchWait wait) => _fetchWaits.Remove(wait);

    /// <summary>The leadership changed: who waits looks again and learns of it.</summary>
    public void WakeWaits() => _fetchWaits.WakeAll();

    /// <summary>Puts a changed topic configuration in force.</summary>
    public void Configure(PartitionSettings settings)
    {
        Volatile.Write(ref _settings, settings);
        _replica.Configure(settings.Replication, settings.Log);
    }

    /// <summary>Makes records before <paramref name="offset"/> unreadable and frees whole segments of them (DeleteRecords).</summary>
    public async ValueTask<(ErrorCode Error, Offset LogStart)> DeleteBeforeAsync(Offset offset)
    {
        var before = offset == Offset.None ? HighWatermark : offset;
        if (before > HighWatermark || before < Offset.Zero)
            return (ErrorCode.OffsetOutOfRange, Offset.None);
        if (IsTieredHere && (_tier is null || !await _tier.DeleteBeforeAsync(before)))
            return (ErrorCode.KafkaStorageError, Offset.None);
        var error = before <= Log.LogStartOffset ? ErrorCode.None : await _replica.DeleteBeforeAsync(before);
        if (error == ErrorCode.KafkaStorageError)
            _logger.LogError("Records of {Partition} before {Offset} could not be deleted", Id, before);
        return (error, error == ErrorCode.None ? LogStartOffset ?? Offset.None : Offset.None);
    }

    /// <summary>
    /// Frees the segments that the topic's retention no longer keeps, and notes how far recovery need not look in a
    /// log that fell idle.
    /// </summary>
    public async ValueTask TidyAsync()
    {
        var log = Log;
        try
        {
            var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
            var keepFrom = Offset.Min(Settings.Tiering is null ? log.RetentionOffset(nowMs) : Tier?.LocalRetentionOffset() ?? log.LogStartOffset, HighWatermark);
            // Followers hear from their leader what is gone, whose clock decides.
            if (keepFrom > log.LogStartOffset && IsLeader)
                await _replica.DeleteBeforeAsync(keepFrom);
            if (log.Failure is null)
                await log.CheckpointAsync();
        }
        catch (IOException failed)
        {
            _logger.LogWarning("{Partition} could not be tidied: {Reason}", Id, failed.Message);
        }
    }

    /// <summary>Uploads what is sealed, and deletes what retention does not keep in remote storage, where this broker leads.</summary>
    public Task TierAsync(CancellationToken cancellationToken) => _tier?.StepAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Answers the appends whose wait for a commit is over.</summary>
    public void ExpireWaits() => _replica.ExpireWaits();

    // What comes out of the store later wakes whoever waits for records.
    private ReplicaRead FromTier(ReplicaRead read, Offset from, int bytesMax, bool minOneBatch)
    {
        var found = Tier?.Read(from, bytesMax, minOneBatch) ?? new LogRead(ErrorCode.KafkaStorageError, default);
        return read with { Error = found.Error, Log = found };
    }

    // Even where this broker was started without the store: what is in there is not gone for that.
    private bool IsTieredHere => Settings.Tiering is not null && IsLeader;

    private AppendOutcome AppendTraced(
        Memory<byte> batches, bool awaitsCommit, int commitTimeoutMs, LeaderEpoch? only, TransactionCheck transaction)
    {
        var current = Activity.Current;
        var span = BrokerTracing.Start("append", ActivityKind.Server, Id, _replica.Broker, batches.Span);
        var outcome = AppendUntraced(batches, awaitsCommit, commitTimeoutMs, only, transaction);
        Activity.Current = current;
        return span is null ? outcome : outcome with { Done = BrokerTracing.EndAsync(span, outcome.BaseOffset, outcome.Done) };
    }

    private AppendOutcome AppendUntraced(
        Memory<byte> batches, bool awaitsCommit, int commitTimeoutMs, LeaderEpoch? only, TransactionCheck transaction)
    {
        var settings = Settings;
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var refusal = BatchRules.Check(batches.Span, settings, now);
        if (refusal != ErrorCode.None)
            return AppendOutcome.Refused(refusal);
        if (settings.Tiering is not null && _backlog?.Refusal is { } reason)
            return AppendOutcome.Refused(ErrorCode.KafkaStorageError, reason);
        var append = _replica.Append(batches, awaitsCommit, commitTimeoutMs, only, transaction);
        var stampedMs = !settings.StampsAppendTime ? -1 : append.Appended.IsDuplicate ? append.Appended.AppendTimeMs : now;
        return OutcomeOf(append, batches.Length, stampedMs);
    }

    private AppendOutcome OutcomeOf(in ReplicaAppend append, int bytes, long stampedMs)
    {
        if (append.Error != ErrorCode.None)
            return AppendOutcome.Refused(append.Error);
        var appended = append.Appended;
        if (!appended.IsDuplicate)
            PartitionMetrics.Appended(appended.NextOffset - appended.BaseOffset, bytes);
        return new AppendOutcome(ErrorCode.None, appended.BaseOffset, stampedMs, LogStartOffset ?? Log.LogStartOffset, append.Done);
    }
}

/// <summary>What became of an append.</summary>
/// <param name="Error">Why nothing was appended, or None.</param>
/// <param name="BaseOffset">Where the first record lies.</param>
/// <param name="AppendTimeMs">The time that the broker stamped on the records, or -1 where they keep their own.</param>
/// <param name="LogStart">The first offset that can still be read.</param>
/// <param name="Done">Completes when the append is as safe as was asked, or with what prevented it.</param>
/// <param name="Reason">What to tell users beyond the error; null for nothing.</param>
public readonly record struct AppendOutcome(
    ErrorCode Error, Offset BaseOffset, long AppendTimeMs, Offset LogStart, Task<ErrorCode> Done, string? Reason = null)
{
    public static AppendOutcome Refused(ErrorCode error, string? reason = null) => new(error, Offset.None, -1, Offset.None, Task.FromResult(error), reason);
}
