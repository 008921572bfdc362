using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage.Compaction;
using OrleansLog.Storage.Producers;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    private Task _maintenance = Task.CompletedTask;
    private RetiredSegments? _retired;

    /// <summary>
    /// Cuts the log back so that it ends at or before <paramref name="offset"/>, always between two batches; what is
    /// left is durable. Nothing may be appended until it completes.
    /// </summary>
    /// <exception cref="StorageException">The files failed; the log takes no more appends.</exception>
    public ValueTask TruncateToAsync(Offset offset) => new(Enqueue(() => TruncateNowAsync(offset)));

    /// <summary>
    /// Makes <paramref name="offset"/> the first that can be read (never past the log's end, never back), and deletes
    /// the segments that lie wholly before it. Completes when that is durable.
    /// </summary>
    /// <returns>The log start offset from now on.</returns>
    /// <exception cref="StorageException">The files failed.</exception>
    public async ValueTask<Offset> DeleteBeforeAsync(Offset offset)
    {
        await Enqueue(() => DeleteBeforeNowAsync(Offset.Min(offset, LogEndOffset)));
        return LogStartOffset;
    }

    /// <summary>
    /// Drops everything the log holds and lets it start and end at <paramref name="start"/>, which may lie anywhere. Nothing
    /// may be appended until it completes; then it is durable. A crash meanwhile leaves the old log, perhaps cut back to
    /// <paramref name="start"/>, or an empty one there; one that would start earlier than the old one may start where that did.
    /// </summary>
    /// <exception cref="StorageException">The files failed; the log takes no more appends.</exception>
    public ValueTask ResetToAsync(Offset start) => new(Enqueue(() => ResetNowAsync(start)));

    /// <summary>
    /// Up to where <see cref="LogOptions.RetentionMs"/> and <see cref="LogOptions.RetentionBytes"/> let the log be deleted,
    /// for <see cref="DeleteBeforeAsync"/>: the end of a sealed segment, or the log start offset.
    /// </summary>
    /// <param name="nowMs">Milliseconds since 1970.</param>
    /// <exception cref="IOException">An index cannot be read.</exception>
    public Offset RetentionOffset(long nowMs) => RetentionOffset(nowMs, Options.RetentionMs, Options.RetentionBytes);

    /// <summary>The same for other limits than the log's own; -1 for none.</summary>
    public Offset RetentionOffset(long nowMs, long retentionMs, long retentionBytes)
    {
        var surplus = retentionBytes < 0 ? 0 : SizeInBytes - retentionBytes;
        var start = LogStartOffset;
        foreach (var segment in Segments.TakeWhile(segment => segment.IsSealed))
        {
            surplus -= segment.SizeInBytes;
            var isOld = retentionMs >= 0 && nowMs - segment.MaxTimestampMs > retentionMs;
            if (!isOld && (retentionBytes < 0 || surplus < 0)) break;
            start = Offset.Max(start, segment.NextOffset);
        }

        return start;
    }

    // One after another, in the order in which they were asked for.
    private async Task Enqueue(Func<Task> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task previous;
        lock (_gate) (previous, _maintenance) = (_maintenance, done.Task);
        await previous;
        try
        {
            await work();
        }
        finally
        {
            done.SetResult();
        }
    }

    private async Task DeleteBeforeNowAsync(Offset offset)
    {
        ThrowIfFailed();
        if (offset <= LogStartOffset) return;
        try
        {
            await CarryOutAsync(PlanCheckpoint(), offset);
        }
        catch (IOException) when (Failure is null)
        {
            // On a full disk only the deletion itself makes room to write a checkpoint.
            await FlushAsync(offset);
            await NoteStartAsync(offset);
        }

        Retire(PublishStart(offset));
    }

    private Segment[] PublishStart(Offset start)
    {
        lock (_turn)
        {
            var dropped = _segments.TakeWhile(segment => segment.NextOffset <= start && !segment.HasRemains).ToArray();
            Volatile.Write(ref _logStartOffset, start.Value);
            Volatile.Write(ref _segments, _segments[dropped.Length..]);
            Volatile.Write(ref _epochs, Epochs.WithoutBefore(start));
            _producers.Transactions.DropBefore(start);
            _isRollDue &= _segments.Length > 0;
            return dropped;
        }
    }

    private async Task TruncateNowAsync(Offset offset)
    {
        ThrowIfFailed();
        offset = Offset.Max(offset, LogStartOffset);
        if (offset >= LogEndOffset) return;
        try
        {
            await CutBackAsync(offset);
        }
        catch (IOException e)
        {
            Fail(new StorageException($"Truncating {Directory} to {offset} failed: {e.Message}", e));
            throw;
        }
    }

    /// <summary>
    /// Where <see cref="TruncateToAsync"/> would let the log end: before <paramref name="offset"/> when no batch ends there,
    /// or what lies before is damaged. Nothing may be appended meanwhile.
    /// </summary>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public Offset EndIfCutAt(Offset offset)
    {
        offset = Offset.Max(offset, LogStartOffset);
        if (offset >= LogEndOffset) return LogEndOffset;
        var last = _segments.LastOrDefault(segment => segment.BaseOffset < offset);
        return last is null || last.EpochOfEmptyAt(offset) is not null ? offset : Offset.Max(last.BatchAt(offset).BaseOffset, LogStartOffset);
    }

    // Until the cut is durable, the checkpoint claims nothing of what is cut.
    private async Task CutBackAsync(Offset offset)
    {
        var kept = _segments.TakeWhile(segment => segment.BaseOffset < offset).ToArray();
        var last = kept.Length > 0 ? kept[^1] : null;
        var (position, end) = last?.BatchAt(offset) ?? (0, offset);
        var emptied = last?.EpochOfEmptyAt(offset);
        if (end < LogStartOffset) (kept, position, end) = ([], 0, LogStartOffset);
        else if (position == 0 && last is not null) kept = kept[..^1];
        if (_cleaned.WithoutFrom(end) is var cleaned && cleaned != _cleaned) await WriteCleanedAsync(cleaned);
        var producers = ProducersAt(end);
        if (end < _checkpoint.Offset || kept.Length == 0)
        {
            var claim = RecoveryCheckpoint.Before(LogStartOffset, end, position == 0 ? null : last, position);
            var snapshot = await WriteSnapshotAsync(producers.ToCopy() with { Version = NeverWritten }, end);
            await ClaimNothingBeyondAsync(claim with { ProducerSnapshot = snapshot });
        }

        var dropped = PublishEnd(kept, end, producers);
        if (position > 0) await last!.TruncateToAsync(position, end);
        Retire(dropped);
        DropSnapshotsAfter(end);
        await _files.FlushDirectoryAsync(Directory);
        if (emptied is { } epoch) FillUpTo(offset, epoch);
        await CarryOutAsync(PlanCheckpoint(), LogStartOffset);
    }

    // Of a batch that has no records any part can stay.
    private void FillUpTo(Offset end, LeaderEpoch epoch)
    {
        if (LogEndOffset >= end) return;
        Span<byte> empty = stackalloc byte[EmptyBatch.Size];
        EmptyBatch.Write(empty, LogEndOffset, end, epoch);
        AppendAsFollower(empty);
    }

    private async Task ResetNowAsync(Offset start)
    {
        ThrowIfFailed();
        try
        {
            if (start > LogStartOffset && start < LogEndOffset) await CutBackAsync(start);
            if (_segments.Length > 0) await DropAllAsync(Offset.Max(start, LogStartOffset));
            if (_cleaned != CleanerCheckpoint.None) await WriteCleanedAsync(CleanerCheckpoint.None);
            PublishReset(start);
            await CarryOutAsync(PlanCheckpoint(), start);
            await FlushParentOnceAsync();
        }
        catch (IOException e)
        {
            Fail(new StorageException($"Starting {Directory} anew at {start} failed: {e.Message}", e));
            throw;
        }
    }

    // Only once the old files are gone for certain may the checkpoint speak of an earlier place. A later one it must name at
    // once: a log that had everything up to there must not be found shorter.
    private async Task DropAllAsync(Offset at)
    {
        await ClaimNothingBeyondAsync(RecoveryCheckpoint.At(at, at));
        Retire(PublishEnd([], LogStartOffset, new()));
        DropSnapshotsAfter(Offset.None);
        await _files.FlushDirectoryAsync(Directory);
    }

    // Also says where the log starts, lest the first file that a crash leaves of those to be deleted be taken for the start.
    private async ValueTask ClaimNothingBeyondAsync(RecoveryCheckpoint checkpoint)
    {
        if (ReferenceEquals(_checkpoint, RecoveryCheckpoint.None)) await WriteEpochsAsync(Epochs);
        await WriteCheckpointAsync(checkpoint);
    }

    private void PublishReset(Offset start)
    {
        lock (_turn)
            lock (_gate)
            {
                _cuts++;
                if (_running is not null) _running.UpTo = Offset.Min(_running.UpTo, start);
                Volatile.Write(ref _logStartOffset, start.Value);
                Volatile.Write(ref _flushedOffset, start.Value);
                Volatile.Write(ref _logEndOffset, start.Value);
                Volatile.Write(ref _epochs, LeaderEpochs.Empty);
                (_producers, _writtenProducers) = (new(), NeverWritten);
                _isRollDue = false;
            }
    }

    private Segment[] PublishEnd(Segment[] kept, Offset end, ProducerStates producers)
    {
        lock (_turn)
            lock (_gate)
            {
                _cuts++;
                var dropped = _segments[kept.Length..];
                if (_running is not null) _running.UpTo = Offset.Min(_running.UpTo, end);
                Volatile.Write(ref _flushedOffset, Offset.Min(FlushedOffset, end).Value);
                Volatile.Write(ref _logEndOffset, end.Value);
                Volatile.Write(ref _segments, kept);
                Volatile.Write(ref _epochs, Epochs.WithoutFrom(end));
                (_producers, _writtenProducers) = (producers, NeverWritten);
                _isRollDue = false;
                return dropped;
            }
    }

    private void Retire(Segment[] segments)
    {
        if (segments.Length == 0) return;
        foreach (var segment in segments) segment.Delete();
        _retired ??= new RetiredSegments(_time);
        _retired.Add(segments, Options.FileDeleteDelayMs);
    }
}
