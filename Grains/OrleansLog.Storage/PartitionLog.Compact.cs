using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage.Compaction;
using OrleansLog.Storage.Producers;

namespace OrleansLog.Storage;

/// <summary>
/// Compaction: of each key the last record stays, at its offset. What is gone leaves empty batches, so that offsets and leader
/// epochs go on without a gap. The active segment is never touched.
/// </summary>
public sealed partial class PartitionLog
{
    private CleanerCheckpoint _cleaned = CleanerCheckpoint.None;

    /// <summary>Everything before was compacted. Any thread.</summary>
    public Offset CompactedBefore => Offset.Max(Volatile.Read(ref _cleaned).FirstDirty, LogStartOffset);

    /// <summary>
    /// Before here tombstones, and the ends of transactions, may be gone: a replica whose log ends earlier must not go on with
    /// what is left here, for it has what those deleted. Any thread.
    /// </summary>
    public Offset TombstonesGoneBefore => Volatile.Read(ref _cleaned).RemovedBefore;

    /// <summary>
    /// Notes, durably, that what is about to be copied from another replica may lack tombstones before an offset.
    /// </summary>
    /// <exception cref="StorageException">The files failed.</exception>
    public ValueTask NoteTombstonesGoneAsync(Offset before) => new(Enqueue(async () =>
    {
        ThrowIfFailed();
        if (before > _cleaned.RemovedBefore) await WriteCleanedAsync(_cleaned with { RemovedBefore = before });
    }));

    /// <summary>What there is to compact below an offset. Any thread.</summary>
    /// <param name="highWatermark">Everything below is committed.</param>
    /// <exception cref="IOException">An index cannot be read.</exception>
    public CompactionBacklog CompactionBacklog(Offset highWatermark)
    {
        if (Options.Compaction is not { } options || Failure is not null) return default;
        var cleaned = Volatile.Read(ref _cleaned);
        var nowMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var segments = Compactable(highWatermark, options, nowMs);
        var dirty = segments.SkipWhile(segment => segment.NextOffset <= cleaned.FirstDirty).ToArray();
        return new(
            segments.Take(segments.Length - dirty.Length).Sum(segment => (long)segment.Size),
            dirty.Sum(segment => (long)segment.Size),
            options.MaxLagMs < long.MaxValue && dirty.Length > 0 && nowMs - dirty[0].CreatedMs(nowMs) > options.MaxLagMs,
            segments.Length > 0 && cleaned.LatestHorizonMs is not CleanerCheckpoint.NoHorizon and var horizon && horizon <= nowMs);
    }

    /// <summary>
    /// Compacts what lies below an offset, in one pass: as far as there is memory for its keys. Appends and reads go on meanwhile;
    /// what readers have found stays readable for <see cref="LogOptions.FileDeleteDelayMs"/>. One caller at a time.
    /// </summary>
    /// <param name="highWatermark">Everything below is committed.</param>
    /// <param name="tools">What to work with.</param>
    /// <returns>What was done; null when there was nothing, or the log was changed meanwhile in other ways.</returns>
    /// <exception cref="StorageException">
    /// The files failed, or hold damage, which is refused from then on. The log is as it was, or has failed if
    /// <see cref="Failure"/> says so.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller has ended it; what was done so far holds.</exception>
    public async Task<CompactionResult?> CompactAsync(Offset highWatermark, CompactionTools tools)
    {
        ThrowIfFailed();
        if (Options.Compaction is not { } options || await FindSourceAsync(highWatermark, options) is not { } source) return null;
        using var pass = new CompactionPass(source, tools);
        try
        {
            await pass.FindDeadAsync(_time.GetUtcNow().ToUnixTimeMilliseconds(), options.DeleteRetentionMs);
            return await RewriteAsync(source, pass);
        }
        catch (DamagedSegmentException damaged)
        {
            // What was cut off while it was read looks like damage, and is none.
            lock (_turn)
                if (_segments.Contains(damaged.Segment) && damaged.Range.To <= damaged.Segment.NextOffset) damaged.Segment.Refuse(damaged.Range);
            throw;
        }
        catch (Exception e) when (e is ObjectDisposedException || (e is IOException && Failure is null && !pass.Reads.All(Volatile.Read(ref _segments).Contains)))
        {
            _logger.LogDebug(e, "{Directory}: segments were deleted while they were compacted", Directory);
            return null;
        }
    }

    private async Task<CompactionSource?> FindSourceAsync(Offset highWatermark, CompactionOptions options)
    {
        var segments = Compactable(highWatermark, options, _time.GetUtcNow().ToUnixTimeMilliseconds());
        if (segments.Length == 0) return null;
        // Recovery must not look for anything at a place in a segment that is not what it was.
        if (_checkpoint.SegmentBaseOffset < segments[^1].NextOffset) await CheckpointAsync();
        lock (_turn)
        {
            _producers.Expire(MonotonicMs - Options.ProducerIdExpirationMs);
            var (start, end) = (segments[0].BaseOffset, segments[^1].NextOffset);
            var firstDirty = Offset.Min(Offset.Max(_cleaned.FirstDirty, start), end);
            return new(segments, LogStartOffset, firstDirty, _producers.LastBatches(), _producers.Transactions.Aborted(start, end), _cuts);
        }
    }

    // Sealed segments without a gap or damage, of records that are old enough. What makes others superfluous is durable itself,
    // and so is the outcome of its transaction: it must not be lost after they are gone.
    private Segment[] Compactable(Offset highWatermark, CompactionOptions options, long nowMs)
    {
        var stable = LastStableOffset(Offset.Min(highWatermark, FlushedOffset));
        var segments = Volatile.Read(ref _segments);
        var youngestMs = nowMs - Math.Min(options.MinLagMs, nowMs);
        var count = 0;
        for (; count < segments.Length - 1; count++)
        {
            var segment = segments[count];
            if (segment.NextOffset > stable || segment.Refused.Length > 0 || segment.NextOffset != segments[count + 1].BaseOffset) break;
            if (options.MinLagMs > 0 && segment.NextOffset > _cleaned.FirstDirty && segment.MaxTimestamp > youngestMs) break;
        }

        return segments[..count];
    }

    private async Task<CompactionResult?> RewriteAsync(CompactionSource source, CompactionPass pass)
    {
        var (before, after) = (0L, 0L);
        foreach (var group in pass.Groups(Options.SegmentBytes))
        {
            var output = new Segment(_files, Directory, group[0].BaseOffset, createdMs: -1) { NameSuffix = SegmentSwap.CleanedSuffix };
            var isSwapped = false;
            try
            {
                await pass.RewriteAsync(group, output, Options.IndexIntervalBytes);
                await output.Log.FlushAsync();
                await output.FlushIndexesAsync();
                await Enqueue(async () => isSwapped = await SwapAsync(group, output, source.Cuts, pass.Filter));
                if (!isSwapped) return null;
            }
            finally
            {
                if (!isSwapped) Discard(output);
            }

            (before, after) = (before + group.Sum(segment => (long)segment.Size), after + output.Size);
        }

        await Enqueue(() => NoteCompactedAsync(pass, source.Cuts));
        return new(before, after, pass.Filter.RecordsRemoved, pass.NextDirty, pass.NextDirty == source.End);
    }

    private void Discard(Segment output)
    {
        output.Close();
        // Once it has another name nothing of it is to be deleted.
        if (output.NameSuffix == SegmentSwap.CleanedSuffix && Failure is null) output.Delete();
    }

    private async Task NoteCompactedAsync(CompactionPass pass, long cuts)
    {
        ThrowIfFailed();
        if (_cuts == cuts) await WriteCleanedAsync(new(pass.NextDirty, Offset.Max(_cleaned.RemovedBefore, pass.Filter.RemovedBefore), pass.Filter.LatestHorizonMs ?? CleanerCheckpoint.NoHorizon));
    }

    private async ValueTask WriteCleanedAsync(CleanerCheckpoint cleaned)
    {
        await CheckpointFile.WriteAsync(_files, Directory, CleanerCheckpoint.FileName, cleaned.ToLines());
        Volatile.Write(ref _cleaned, cleaned);
    }

    // In the maintenance's order: nothing else changes what there is of sealed segments meanwhile.
    private async Task<bool> SwapAsync(Segment[] group, Segment output, long cuts, BatchFilter filter)
    {
        ThrowIfFailed();
        var isAsPlanned = _cuts == cuts && _checkpoint.SegmentBaseOffset >= output.NextOffset && IsSealed(group);
        if (!isAsPlanned || output.NextOffset != group[^1].NextOffset) return false;
        // Others must know before it is true.
        if (filter.RemovedBefore > _cleaned.RemovedBefore) await WriteCleanedAsync(_cleaned with { RemovedBefore = filter.RemovedBefore });
        output.Close();
        foreach (var segment in group) segment.Retire();
        try
        {
            await ReplaceFilesAsync(group, output);
            Publish(group, output, filter);
            await _files.FlushDirectoryAsync(Directory);
        }
        catch (IOException e)
        {
            // What is on the disk now is for the next opening to find out.
            Fail(new StorageException($"Replacing compacted segments of {Directory} failed: {e.Message}", e));
            throw;
        }

        _retired ??= new RetiredSegments(_time);
        _retired.Add(group, Options.FileDeleteDelayMs);
        return true;
    }

    private bool IsSealed(Segment[] group)
    {
        var segments = Volatile.Read(ref _segments);
        var at = Array.IndexOf(segments, group[0]);
        return at >= 0 && at + group.Length < segments.Length && segments.AsSpan(at, group.Length).SequenceEqual(group);
    }

    private async Task ReplaceFilesAsync(Segment[] group, Segment output)
    {
        var (cleaned, swap) = (output.LogPath, SegmentFileNames.PathOf(Directory, output.BaseOffset, SegmentSwap.SuffixFor(output.NextOffset)));
        output.NameSuffix = "";
        _files.Rename(cleaned, swap);
        await _files.FlushDirectoryAsync(Directory);
        foreach (var segment in group) segment.DeleteFiles();
        await _files.FlushDirectoryAsync(Directory);
        foreach (var suffix in (string[])[SegmentFileNames.OffsetIndexSuffix, SegmentFileNames.TimeIndexSuffix])
        {
            var path = SegmentFileNames.PathOf(Directory, output.BaseOffset, suffix);
            _files.Rename(path + SegmentSwap.CleanedSuffix, path);
        }

        _files.Rename(swap, output.LogPath);
    }

    private void Publish(Segment[] group, Segment output, BatchFilter filter)
    {
        output.KnownEpochs = offset => Epochs.EpochAt(offset);
        lock (_turn)
        {
            var at = Array.IndexOf(_segments, group[0]);
            // Whoever left out what an aborted transaction had would wait in vain for its end.
            _producers.DropAborted(filter.RemovedMarkers);
            Volatile.Write(ref _segments, [.. _segments[..at], output, .. _segments[(at + group.Length)..]]);
        }

        filter.RemovedMarkers.Clear();
    }

    // What a snapshot tells of transactions may be older than the last compaction.
    private void DropAbortedWithoutMarkers(ProducerStates producers)
    {
        if (_cleaned.RemovedBefore == Offset.Zero) return;
        var removed = producers.Transactions.Aborted(LogStartOffset, _cleaned.RemovedBefore)
            .Select(aborted => aborted.Marker).Where(marker => marker < _cleaned.RemovedBefore && !IsMarker(marker)).ToList();
        producers.DropAborted(removed);
    }

    private bool IsMarker(Offset offset)
    {
        var number = NumberOf(_segments, offset);
        if (number < 0 || offset >= _segments[number].NextOffset) return false;
        var segment = _segments[number];
        var walker = new BatchWalker(segment, segment.PositionOf(offset, segment.Size), segment.Size, stackalloc byte[BatchWalker.BlockSize]);
        return walker.MoveNext() && walker.Header.BaseOffset == offset && walker.Header.IsControl;
    }
}
