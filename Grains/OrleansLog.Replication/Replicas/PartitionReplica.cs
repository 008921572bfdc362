using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Following;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// One replica of one partition on one broker: it follows, or leads, or is being repaired. It follows whoever pushes with
/// the highest epoch; it leads after <see cref="TryLeadAsync"/> has won the register. Safe whatever the engine believes:
/// two replicas may both be told to lead. Any thread.
/// </summary>
public sealed partial class PartitionReplica : IAsyncDisposable
{
    private readonly PartitionTurn _turn = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly ReplicaPorts _ports;
    private readonly ReplicaStateFile _stateFile;
    private readonly string _directory;
    private FollowerState _follower;
    private PartitionLog _log;
    private Leadership? _leadership;
    private LogOptions _logOptions;
    private int _reopened;
    private bool _isFailed;
    private bool _isClosed;

    private PartitionReplica(
        ReplicaDescription description, string directory, ReplicaPorts ports, ReplicaStateFile stateFile, FollowerState follower, PartitionLog log)
    {
        Id = description.Id;
        TopicId = description.TopicId;
        Options = description.Replication;
        _directory = directory;
        _ports = ports;
        _stateFile = stateFile;
        _follower = follower;
        _log = log;
        _logOptions = log.Options;
    }

    public TopicPartition Id { get; }

    /// <summary>Which topic of that name.</summary>
    public Guid TopicId { get; }

    public BrokerId Broker => _ports.Self.Id;

    /// <summary>How the partition is replicated. May be replaced; a leadership takes it over at its next decision.</summary>
    public ReplicationOptions Options { get; private set; }

    /// <summary>This broker's copy. Replaced when it had to be opened anew. For reading.</summary>
    public PartitionLog Log => Volatile.Read(ref _log);

    /// <summary>Everything below is committed, as far as this replica knows.</summary>
    public Offset HighWatermark => Volatile.Read(ref _leadership)?.State.HighWatermark ?? _follower.HighWatermark;

    /// <summary>The highest leader epoch that this replica has seen.</summary>
    public LeaderEpoch Epoch => _follower.Epoch;

    /// <summary>Below it the outcome of every transaction is committed, as far as this replica knows (KIP-98).</summary>
    public Offset LastStableOffset => Log.LastStableOffset(HighWatermark);

    public bool IsLeader => Volatile.Read(ref _leadership) is not null;

    /// <summary>The epoch of this replica's own leadership; none at a follower.</summary>
    public LeaderEpoch LeaderEpoch => Volatile.Read(ref _leadership)?.Epoch ?? LeaderEpoch.None;

    /// <summary>The leader's view of its followers; null at a follower.</summary>
    public Leading.LeaderState? Leading => Volatile.Read(ref _leadership)?.State;

    /// <summary>Whether the disk failed and the replica is not yet repaired.</summary>
    public bool IsFailed => Volatile.Read(ref _isFailed);

    /// <summary>Told when the high watermark moved: wakes readers. Short, any thread.</summary>
    public Action<Offset>? HighWatermarkMoved { get; set; }

    /// <summary>Told when a repair has ended: the replica may lead again. Any thread.</summary>
    internal Action? Repaired { get; set; }

    /// <summary>Which life of the replica this is.</summary>
    public ReplicaIncarnation Incarnation => new(_ports.Self.Epoch, _reopened);

    internal long NowMs => (long)_ports.Time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>
    /// Opens the replica in its directory below <paramref name="parent"/>, which is created when it is not there. It
    /// follows at first. What an earlier topic of the same name has left there is dropped.
    /// </summary>
    /// <exception cref="StorageException">The files cannot be read, or what was promised there is not known any more.</exception>
    public static async Task<PartitionReplica> OpenAsync(ReplicaDescription description, string parent, ReplicaPorts ports)
    {
        var directory = $"{parent}/{description.Directory}";
        var log = await PartitionLog.OpenAsync(ports.Files, directory, description.Log, ports.Time, ports.Logger, ports.RecoveryBudget);
        var stateFile = new ReplicaStateFile(ports.Files, directory);
        var state = stateFile.Read();
        if (state.TopicId is { } topic && topic != description.TopicId) state = await DropAsync(description, log, stateFile, topic, ports.Logger);
        state = state with { HighWatermark = Offset.Max(Offset.Min(state.HighWatermark, log.LogEndOffset), log.LogStartOffset) };
        var replica = new PartitionReplica(description, directory, ports, stateFile, ports.NewFollower(state), log);
        if (log.FirstRefusedOffset is not null) replica.Fail(null);
        return replica;
    }

    // The log first: what a crash leaves then still bears the other topic's name.
    private static async Task<ReplicaState> DropAsync(
        ReplicaDescription description, PartitionLog log, ReplicaStateFile stateFile, Guid topic, ILogger logger)
    {
        logger.LogWarning(
            "{Directory} holds offsets {From} to {End} of an earlier topic {Topic} of that name, which is gone; they are dropped for {Current}",
            log.Directory, log.LogStartOffset, log.LogEndOffset, topic, description.TopicId);
        await log.ResetToAsync(Offset.Zero);
        var state = ReplicaState.New with { TopicId = description.TopicId };
        await stateFile.WriteAsync(state);
        return state;
    }

    /// <summary>Puts changed options in force.</summary>
    public void Configure(ReplicationOptions replication, LogOptions log)
    {
        Options = replication;
        _logOptions = log;
        Log.Options = log;
        if (Volatile.Read(ref _leadership) is { } leadership) leadership.On(leadership.Reconfigured);
    }

    /// <summary>
    /// Appends the batches of one produce, already validated; offsets and epoch are written into the caller's buffer,
    /// which is the caller's again on return. A batch that an idempotent producer has sent again is not appended again: the
    /// answer says where it lies, and is done when that is as safe as was asked.
    /// </summary>
    /// <param name="batches">Whole batches, back to back.</param>
    /// <param name="awaitsCommit">Whether it is done when it is committed, or when it is durable here.</param>
    /// <param name="commitTimeoutMs">The longest wait for the commit; see <see cref="ExpireWaits"/>.</param>
    /// <param name="only">The one leadership in which to append; null for whichever there is.</param>
    /// <param name="transaction">What the caller knows of the transaction that a batch belongs to.</param>
    public ReplicaAppend Append(
        Memory<byte> batches, bool awaitsCommit, int commitTimeoutMs = int.MaxValue, LeaderEpoch? only = null, TransactionCheck transaction = default)
    {
        if (Volatile.Read(ref _leadership) is not { } leadership || (only ?? leadership.Epoch) != leadership.Epoch)
            return ReplicaAppend.Refused(ErrorCode.NotLeaderOrFollower);
        try
        {
            return leadership.Append(batches, awaitsCommit, commitTimeoutMs, transaction);
        }
        catch (StorageException failed)
        {
            if (Log.Failure is not null) OnDiskFailed(failed);
            return ReplicaAppend.Refused(ErrorCode.KafkaStorageError);
        }
    }

    /// <summary>Reads committed batches at the leader.</summary>
    /// <param name="from">The first offset wanted.</param>
    /// <param name="bytesMax">Whole batches up to this many bytes, but at least one.</param>
    /// <param name="known">The latest leader epoch that the reader knows of; none if it does not say (KIP-320).</param>
    /// <param name="minOneBatch">The first batch comes whole even when it alone is larger.</param>
    /// <param name="stableOnly">Whether to end at the last stable offset: for readers of committed transactions only.</param>
    public ReplicaRead Read(Offset from, int bytesMax, LeaderEpoch known, bool minOneBatch = true, bool stableOnly = false)
    {
        if (Volatile.Read(ref _leadership) is not { } leadership)
            return new(known > Epoch ? ErrorCode.UnknownLeaderEpoch : ErrorCode.NotLeaderOrFollower, Epoch, Offset.None);
        if (known > leadership.Epoch) return new(ErrorCode.UnknownLeaderEpoch, leadership.Epoch, Offset.None);
        if (known != LeaderEpoch.None && known < leadership.Epoch) return new(ErrorCode.FencedLeaderEpoch, leadership.Epoch, Offset.None);
        var highWatermark = leadership.State.HighWatermark;
        var stable = leadership.Log.LastStableOffset(highWatermark);
        // Between what is known to be committed and the log's end lies what an earlier leader may have shown already.
        if (from > highWatermark && from <= leadership.Log.LogEndOffset) return new(ErrorCode.None, leadership.Epoch, highWatermark) { LastStableOffset = stable };
        var read = leadership.Log.Read(from, bytesMax, stableOnly ? stable : highWatermark, minOneBatch, skipsEmpty: true);
        return new(Settle(read), leadership.Epoch, highWatermark, read) { LastStableOffset = stable };
    }

    /// <summary>
    /// Reads at a follower what it knows to be committed (KIP-392). It may lag behind: an offset that it does not have yet is
    /// no error of the reader's.
    /// </summary>
    /// <inheritdoc cref="Read"/>
    public ReplicaRead ReadAtFollower(Offset from, int bytesMax, LeaderEpoch known, bool minOneBatch, bool stableOnly = false)
    {
        var epoch = Epoch;
        if (IsFailed) return new(ErrorCode.NotLeaderOrFollower, epoch, Offset.None);
        if (known > epoch) return new(ErrorCode.UnknownLeaderEpoch, epoch, Offset.None);
        if (known != LeaderEpoch.None && known < epoch) return new(ErrorCode.FencedLeaderEpoch, epoch, Offset.None);
        var log = Log;
        var highWatermark = _follower.HighWatermark;
        var stable = log.LastStableOffset(highWatermark);
        if (from > log.LogEndOffset) return new(ErrorCode.OffsetNotAvailable, epoch, highWatermark);
        if (from > highWatermark) return new(ErrorCode.None, epoch, highWatermark) { LastStableOffset = stable };
        var read = log.Read(from, bytesMax, stableOnly ? stable : highWatermark, minOneBatch, skipsEmpty: true);
        return new(Settle(read), epoch, highWatermark, read) { LastStableOffset = stable };
    }

    // Damage is for a reader to know of when it is there to stay. While it is repaired another try is worth the while.
    private ErrorCode Settle(LogRead read)
    {
        if (read.Error is not (ErrorCode.CorruptMessage or ErrorCode.KafkaStorageError)) return read.Error;
        OnReadFailed(read);
        return IsFailed ? ErrorCode.KafkaStorageError : read.Error;
    }

    /// <summary>
    /// Compacts the log below what is committed (<see cref="PartitionLog.CompactAsync"/>). Damage that it comes upon is repaired.
    /// One caller at a time.
    /// </summary>
    /// <returns>What was done; null when that was nothing.</returns>
    public async Task<CompactionResult?> CompactAsync(CompactionTools tools)
    {
        var log = Log;
        if (_isClosed || IsFailed || log.Failure is not null) return null;
        try
        {
            return await log.CompactAsync(HighWatermark, tools);
        }
        catch (IOException failed)
        {
            _ports.Logger.LogWarning("{Partition}: broker {Broker} could not compact its log: {Reason}", Id, Broker, failed.Message);
            if (!_isClosed && ReferenceEquals(log, Log) && (log.Failure ?? (object?)log.FirstRefusedOffset) is not null) FailIfOthersHelp(failed);
            throw;
        }
    }

    /// <summary>Answers the appends whose wait for a commit is over. To be called now and then.</summary>
    public void ExpireWaits() => Volatile.Read(ref _leadership)?.ExpireWaits();

    /// <summary>The engine thinks otherwise about a broker than before.</summary>
    public void OnBrokersChanged()
    {
        if (Volatile.Read(ref _leadership) is { } leadership) leadership.On(nowMs => leadership.State.BrokersChanged(_ports.Cluster.EpochOf, nowMs));
        if (_keepsDamage && !IsFailed) _ = GiveWayAsync();
    }

    /// <summary>The record may have been changed by somebody else, such as a reassignment.</summary>
    public void OnRecordChanged()
    {
        if (Volatile.Read(ref _leadership) is { } leadership) leadership.On(_ => leadership.State.RecordChanged());
    }

    /// <summary>Gives the leadership up, notes the high watermark, flushes and closes the log.</summary>
    /// <exception cref="StorageException">The flush failed: this was no clean stop.</exception>
    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        using var turn = await _turn.EnterAsync();
        if (_isClosed) return;
        _isClosed = true;
        if (_leadership is { } leadership) StepDown(leadership);
        if (!_isFailed) await _stateFile.WriteAsync(StateOf(_follower.Epoch));
        await _log.DisposeAsync();
    }

    internal void OnCommitted(Offset highWatermark)
    {
        // What ended below it is not looked at again.
        Log.LastStableOffset(highWatermark);
        _ports.Observer.HighWatermarkMoved(this, highWatermark);
        HighWatermarkMoved?.Invoke(highWatermark);
    }

    internal void StepDown(Leadership leadership)
    {
        if (Interlocked.CompareExchange(ref _leadership, null, leadership) != leadership) return;
        leadership.End();
        _follower.Led(leadership.State.HighWatermark, leadership.State.Current.Record.UncleanEpoch);
        _ports.Logger.LogInformation("{Partition}: broker {Broker} leads no more in epoch {Epoch}", Id, Broker, leadership.Epoch);
        _ports.Observer.SteppedDown(this, leadership.Epoch);
    }

    private ReplicaState StateOf(LeaderEpoch epoch) => new(epoch, _follower.UncleanEpoch, _follower.HighWatermark, TopicId);
}
