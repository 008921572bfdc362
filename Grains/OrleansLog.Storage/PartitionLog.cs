using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

/// <summary>
/// The log of one partition on one broker: segment files in a directory of its own. Everything may be called from any
/// thread. Appends take turns, by a lock that is held for one write into the page cache; reads and lookups take no lock;
/// what changes the log's bounds runs in the order in which it was asked for. A log without records holds no segment,
/// one that is not in use holds no open file.
/// </summary>
public sealed partial class PartitionLog : IAsyncDisposable
{
    private readonly ILogFileSystem _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RecoveryBudget? _budget;
    private readonly Lock _turn = new();
    private readonly Lock _gate = new();
    private Segment[] _segments = [];
    private LeaderEpochs _epochs = LeaderEpochs.Empty;
    private StorageException? _failure;
    private long _logStartOffset;
    private long _logEndOffset;
    private long _flushedOffset;
    private bool _isRollDue;
    private bool _isClosed;

    private PartitionLog(
        ILogFileSystem files,
        string directory,
        LogOptions options,
        TimeProvider time,
        ILogger logger,
        RecoveryBudget? budget)
    {
        _files = files;
        _time = time;
        _logger = logger;
        _budget = budget;
        Directory = directory;
        Options = options;
    }

    /// <summary>May be replaced at any time; the next operation goes by it.</summary>
    public LogOptions Options { get; set; }

    /// <summary>Where the files are.</summary>
    public string Directory { get; }

    /// <summary>The first offset that can be read.</summary>
    public Offset LogStartOffset => new(Volatile.Read(ref _logStartOffset));

    /// <summary>The offset of the next record.</summary>
    public Offset LogEndOffset => new(Volatile.Read(ref _logEndOffset));

    /// <summary>Everything below survives a power failure.</summary>
    public Offset FlushedOffset => new(Volatile.Read(ref _flushedOffset));

    /// <summary>Set once a flush has failed: the log takes no more appends until it is opened anew.</summary>
    public StorageException? Failure => Volatile.Read(ref _failure);

    /// <summary>Bytes of all segments.</summary>
    public long SizeInBytes
    {
        get
        {
            var total = 0L;
            foreach (var segment in Volatile.Read(ref _segments)) total += segment.Size;
            return total;
        }
    }

    /// <summary>The segments, oldest first; the last one is the active one.</summary>
    /// <exception cref="IOException">An index cannot be read.</exception>
    public IReadOnlyList<SegmentInfo> Segments => LookUp(static segments =>
        segments.Select((segment, i) => segment.Describe(isSealed: i < segments.Length - 1)).ToArray());

    /// <summary>
    /// Appends the batches of one produce, back to back, each already checked by
    /// <see cref="RecordBatch.Validate(ReadOnlySpan{byte})"/>. Their offsets and leader epoch are written into the
    /// caller's buffer, which is the caller's again on return. The bytes are then in the page cache and can be read: see
    /// <see cref="SettleAsync"/>. A batch of an idempotent producer comes alone, and is appended only if it follows on what
    /// the producer has appended before; see <see cref="AppendResult.Error"/> and <see cref="AppendResult.IsDuplicate"/>. A
    /// control batch is the end of a transaction, and its maker's to check.
    /// </summary>
    /// <param name="batches">Whole batches.</param>
    /// <param name="epoch">The leader's.</param>
    /// <param name="transaction">What the caller knows of the transaction that a batch belongs to.</param>
    /// <exception cref="StorageException">
    /// The disk is full or failed; nothing was appended. After a failed flush every append ends so, and for a moment after an
    /// append that failed half-way.
    /// </exception>
    /// <exception cref="ArgumentException">The bytes are not whole batches.</exception>
    public AppendResult Append(Memory<byte> batches, LeaderEpoch epoch, TransactionCheck transaction = default)
    {
        ThrowIfFailed();
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        Offset baseOffset, nextOffset;
        lock (_turn)
        {
            if (TellFromProducer(batches.Span, transaction) is { } told) return told;
            baseOffset = LogEndOffset;
            nextOffset = AssignOffsets(batches.Span, baseOffset, epoch);
            Write(batches.Span, nextOffset, nowMs);
            if (epoch > Epochs.Latest) Volatile.Write(ref _epochs, Epochs.With(epoch, baseOffset));
            NoteProducer(batches.Span);
            Volatile.Write(ref _logEndOffset, nextOffset.Value);
        }

        FlushLater();
        CheckpointIfDue(batches.Length);
        return new AppendResult(baseOffset, nextOffset, nowMs);
    }

    /// <summary>Seals the active segment, if it holds anything; the next append begins a new one.</summary>
    public void Roll()
    {
        lock (_turn) _isRollDue = _segments.Length > 0;
    }

    internal LeaderEpochs Epochs => Volatile.Read(ref _epochs);

    private static Offset AssignOffsets(Span<byte> batches, Offset next, LeaderEpoch epoch)
    {
        if (batches.IsEmpty) throw new ArgumentException("An append needs at least one record batch.");
        while (!batches.IsEmpty)
        {
            if (RecordBatchHeader.TryRead(batches, out var header) != ErrorCode.None
                || header.SizeInBytes > batches.Length
                || header.LastOffsetDelta < 0)
                throw new ArgumentException("An append must consist of whole, validated record batches.");
            RecordBatch.AssignOffset(batches, next, epoch);
            next += header.LastOffsetDelta + 1L;
            batches = batches[header.SizeInBytes..];
        }

        return next;
    }

    private void Write(ReadOnlySpan<byte> bytes, Offset nextOffset, long nowMs)
    {
        ThrowIfRemains();
        try
        {
            SegmentFor(bytes.Length, nextOffset, nowMs).Append(bytes, nextOffset, Options.IndexIntervalBytes);
        }
        catch (IOException e)
        {
            CutRemains();
            throw new StorageException($"Appending {bytes.Length} bytes to {Directory} failed: {e.Message}", e);
        }
    }

    private Segment SegmentFor(int length, Offset nextOffset, long nowMs)
    {
        if (_segments.Length > 0 && !MustRoll(_segments[^1], length, nextOffset, nowMs)) return _segments[^1];
        if (_segments.Length > 0) _segments[^1].StoreIndexes();
        var segment = new Segment(_files, Directory, LogEndOffset, nowMs);
        segment.Create();
        Volatile.Write(ref _directoryIsDirty, true);
        Volatile.Write(ref _segments, [.. _segments, segment]);
        _isRollDue = false;
        return segment;
    }

    private bool MustRoll(Segment active, int length, Offset nextOffset, long nowMs) =>
        active.Size > 0
        && (_isRollDue
            || (long)active.Size + length > Options.SegmentBytes
            || nextOffset - active.BaseOffset > int.MaxValue
            || nowMs - active.CreatedMs(nowMs) >= Math.Min(Options.SegmentMs, Options.Compaction?.MaxLagMs ?? long.MaxValue));

    private void ThrowIfFailed()
    {
        if (Failure is { } failure) throw new StorageException(failure.Message, failure);
    }
}
