using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage.Producers;

namespace OrleansLog.Storage;

/// <summary>
/// What the log knows of idempotent producers. Snapshots hold it on disk: a checkpoint names the one that tells the state
/// at its offset, and what was appended since is read again, headers only.
/// </summary>
public sealed partial class PartitionLog
{
    private ProducerStates _producers = new();
    private const long NeverWritten = -1;

    // The version of them that the checkpoint's snapshot holds.
    private long _writtenProducers;
    // That snapshot, which the checkpoint may not name yet: where it could not be written, say.
    private Offset? _writtenSnapshot;
    // What is on disk, all of it of this log's present history, in ascending order. In the maintenance's order only.
    private List<Offset> _snapshots = [];

    /// <summary>How many idempotent producers are remembered.</summary>
    public int ProducerCount
    {
        get
        {
            lock (_turn) return _producers.Count;
        }
    }

    /// <summary>Whether a producer has a transaction open in this log, in this epoch. Any thread.</summary>
    public bool IsInTransaction(long producerId, short epoch)
    {
        lock (_turn) return _producers.IsInTransaction(producerId, epoch);
    }

    /// <summary>The producers that are remembered. Any thread.</summary>
    public IReadOnlyList<ProducerDescription> DescribeProducers()
    {
        lock (_turn) return [.. _producers.Describe()];
    }

    /// <summary>
    /// The last stable offset: the high watermark, or the first record of a transaction whose outcome is not committed below
    /// it (KIP-98). Any thread.
    /// </summary>
    /// <param name="highWatermark">Everything below is committed.</param>
    public Offset LastStableOffset(Offset highWatermark) =>
        Offset.Max(Volatile.Read(ref _producers).Transactions.LastStableOffset(highWatermark), Offset.Min(LogStartOffset, highWatermark));

    /// <summary>
    /// The aborted transactions that have records in what was read from an offset on. Any thread.
    /// </summary>
    public IReadOnlyList<AbortedTransaction> AbortedTransactions(Offset from, in LogSlice slice)
    {
        var transactions = Volatile.Read(ref _producers).Transactions;
        return slice.IsEmpty || !transactions.HasAborted(from) ? [] : transactions.Aborted(from, EndOf(slice, from));
    }

    // The offset after the last batch of a slice, or any later one; an index entry near its end spares the walk through all of it.
    private Offset EndOf(LogSlice slice, Offset from)
    {
        try
        {
            return WalkToEnd(slice, from);
        }
        catch (IOException)
        {
            return LogEndOffset;
        }
    }

    private Offset WalkToEnd(LogSlice slice, Offset from)
    {
        var segments = Volatile.Read(ref _segments);
        var number = NumberOf(segments, from);
        if (number < 0 || segments[number].Log != slice.File) return LogEndOffset;
        var end = (int)slice.Position + slice.Length;
        var walker = new BatchWalker(segments[number], segments[number].BatchBefore(end - 1).Position, end, stackalloc byte[BatchWalker.BlockSize]);
        var last = from;
        while (walker.MoveNext()) last = walker.Header.NextOffset;
        return last;
    }

    // Null when the append may go on.
    private AppendResult? TellFromProducer(ReadOnlySpan<byte> batches, TransactionCheck transaction)
    {
        if (RecordBatchHeader.TryRead(batches, out var header) != ErrorCode.None) return null;
        if (header.SizeInBytes < batches.Length) return HasProducer(batches) ? AppendResult.Refused(ErrorCode.InvalidRecord) : null;
        if (header.ProducerId < 0) return null;
        _producers.Expire(MonotonicMs - Options.ProducerIdExpirationMs);
        if (header.IsControl) return TellFromMarker(batches, transaction);
        return _producers.Check(header, transaction, out var original) switch
        {
            ErrorCode.None => null,
            ErrorCode.DuplicateSequenceNumber =>
                new AppendResult(original.BaseOffset, original.NextOffset, original.MaxTimestampMs) { IsDuplicate = true },
            var refusal => AppendResult.Refused(refusal),
        };
    }

    private AppendResult? TellFromMarker(ReadOnlySpan<byte> batch, TransactionCheck transaction)
    {
        if (!EndTransactionMarker.TryRead(batch, out var marker)) return AppendResult.Refused(ErrorCode.InvalidRecord);
        var error = _producers.Check(marker, transaction);
        return error == ErrorCode.None ? null : AppendResult.Refused(error);
    }

    private static bool HasProducer(ReadOnlySpan<byte> batches)
    {
        while (RecordBatchHeader.TryRead(batches, out var header) == ErrorCode.None && header.SizeInBytes <= batches.Length)
        {
            if (header.ProducerId >= 0) return true;
            batches = batches[header.SizeInBytes..];
        }

        return false;
    }

    private void NoteProducer(ReadOnlySpan<byte> batches)
    {
        RecordBatchHeader.TryRead(batches, out var header);
        if (header.ProducerId >= 0) NoteProducer(header, batches, MonotonicMs);
    }

    private void NoteProducer(in RecordBatchHeader header, ReadOnlySpan<byte> batch, long nowMs)
    {
        if (!header.IsControl) _producers.Apply(header, nowMs);
        else if (EndTransactionMarker.TryRead(batch, out var marker)) _producers.Apply(marker, header, nowMs);
    }

    // A wall clock that jumps by a day would have everybody forgotten.
    private long MonotonicMs => (long)_time.GetElapsedTime(0).TotalMilliseconds;

    // The state at an offset where a batch ends, from the disk.
    private ProducerStates ProducersAt(Offset end)
    {
        var (producers, from) = NearestSnapshot(end);
        var nowMs = MonotonicMs;
        Span<byte> block = stackalloc byte[BatchWalker.BlockSize];
        foreach (var segment in _segments)
        {
            if (segment.NextOffset <= from || segment.BaseOffset >= end) continue;
            var walker = new BatchWalker(segment, PositionIn(segment, from), segment.Size, block);
            while (walker.MoveNext() && walker.Header.NextOffset <= end)
            {
                if (walker.TryReadMarker(out var marker)) producers.Apply(marker, walker.Header, nowMs);
                else producers.Apply(walker.Header, nowMs);
            }
        }

        DropAbortedWithoutMarkers(producers);
        return producers;
    }

    // Nothing before the checkpoint is looked at where that is not asked for: a start would have to check it.
    private int PositionIn(Segment segment, Offset from) =>
        from == _checkpoint.Offset && segment.BaseOffset == _checkpoint.SegmentBaseOffset
            ? _checkpoint.Position
            : segment.PositionOf(Offset.Max(from, segment.BaseOffset), segment.Size);

    // The latest state at or before an offset that a file tells, and from where on batches are to be added to it.
    private (ProducerStates Producers, Offset From) NearestSnapshot(Offset end)
    {
        var named = _checkpoint.ProducerSnapshot;
        if (named == Offset.None) return (new(), Offset.Min(end, _checkpoint.Offset));
        var isNamedFor = end >= _checkpoint.Offset;
        if (isNamedFor && ReadSnapshot(named) is { } latest) return (latest, _checkpoint.Offset);
        if (isNamedFor)
            _logger.LogWarning("{Directory}: the snapshot of producers at {Offset} is missing or damaged; they are read from the log", Directory, named);
        _writtenProducers = NeverWritten;
        for (var i = _snapshots.Count - 1; i >= 0; i--)
            if (_snapshots[i] <= end && ReadSnapshot(_snapshots[i]) is { } earlier) return (earlier, _snapshots[i]);
        return (new(), LogStartOffset);
    }

    private ProducerStates? ReadSnapshot(Offset at) =>
        _snapshots.Contains(at) ? ProducerSnapshot.Read(_files, Directory, at, MonotonicMs) : null;

    // Null when the last snapshot still tells the truth. In turn.
    private ProducerStates.Copy? PlanSnapshot()
    {
        _producers.Expire(MonotonicMs - Options.ProducerIdExpirationMs);
        return _producers.Version == _writtenProducers ? null : _producers.ToCopy();
    }

    // The snapshot for a checkpoint at an offset to name.
    private async ValueTask<Offset> WriteSnapshotAsync(ProducerStates.Copy? plan, Offset offset)
    {
        if (plan is null) return _writtenSnapshot ?? _checkpoint.ProducerSnapshot;
        if (!plan.IsEmpty)
        {
            await ProducerSnapshot.WriteAsync(_files, Directory, offset, plan);
            if (!_snapshots.Contains(offset)) _snapshots.Add(offset);
        }

        _writtenProducers = plan.Version;
        return (_writtenSnapshot = plan.IsEmpty ? Offset.None : offset).Value;
    }

    // Two are kept, for logs are cut back a little now and then, and the last one in each earlier segment, so that a cut
    // far back need not read the whole log.
    private void DropSnapshots()
    {
        if (_checkpoint.ProducerSnapshot == Offset.None) DropSnapshotsAfter(Offset.None);
        if (_snapshots.Count <= 2) return;
        var segments = Volatile.Read(ref _segments);
        for (var i = _snapshots.Count - 3; i >= 0; i--)
        {
            var isLastOfSegment = NumberOf(segments, _snapshots[i]) != NumberOf(segments, _snapshots[i + 1]);
            if (isLastOfSegment && _snapshots[i] >= LogStartOffset) continue;
            ProducerSnapshot.Delete(_files, Directory, _snapshots[i]);
            _snapshots.RemoveAt(i);
        }
    }

    private void DropSnapshotsAfter(Offset end)
    {
        foreach (var offset in _snapshots.Where(offset => offset > end)) ProducerSnapshot.Delete(_files, Directory, offset);
        _snapshots.RemoveAll(offset => offset > end);
    }
}
