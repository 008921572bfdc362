using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>What a compaction finds in a log when it begins.</summary>
/// <param name="Segments">Those that may be compacted, from the log's start on, without a gap.</param>
/// <param name="Start">The first offset that can be read.</param>
/// <param name="FirstDirty">Everything before was compacted already.</param>
/// <param name="LastOfProducers">Batches by which producers are known.</param>
/// <param name="Aborted">The aborted transactions with records there.</param>
/// <param name="Cuts">How often the log had been cut.</param>
internal sealed record CompactionSource(
    Segment[] Segments, Offset Start, Offset FirstDirty, IReadOnlySet<Offset> LastOfProducers, IReadOnlyList<AbortedTransaction> Aborted, long Cuts)
{
    public Offset End => Segments[^1].NextOffset;
}

/// <summary>
/// One pass over a log: the records of what is dirty that come before the last of their key are found
/// (<see cref="DeadRecordFinder"/>); then everything is rewritten without them, and without older ones of these keys, as many
/// segments at a time as fit into one. Where there is no memory for all keys they are taken in parts; a log with too many records
/// even for that is compacted as far as there is memory for its keys, and the rest by the next pass. One caller.
/// </summary>
internal sealed class CompactionPass(CompactionSource source, CompactionTools tools) : IDisposable
{
    public const int StepBytes = 1 << 20;
    private const int FlushBytes = 16 << 20;

    private readonly BatchDecoder _decoder = new(tools.Compressors, new KeyHasher(tools.HashSeed));
    private BatchFilter? _filter;

    /// <summary>Records before it were looked at by <see cref="FindDeadAsync"/>.</summary>
    public Offset End { get; private set; } = source.End;

    /// <summary>Where the next pass is to begin.</summary>
    public Offset NextDirty { get; private set; } = source.End;

    public BatchFilter Filter => _filter!;

    /// <summary>The segments that it is reading.</summary>
    public IReadOnlyList<Segment> Reads { get; private set; } = source.Segments;

    /// <summary>Finds the records that are not the last of their key.</summary>
    public async Task FindDeadAsync(long nowMs, long deleteRetentionMs)
    {
        var keys = new KeySet(source.End - source.FirstDirty, tools.KeyBytesMax);
        var finder = new DeadRecordFinder(source, tools, _decoder, keys);
        // A bit for each record takes an eighth of the memory at most.
        GoUpTo(Offset.Min(source.End, source.FirstDirty + Math.Max(tools.KeyBytesMax, keys.CountMax)));
        var isInParts = false;
        if (!await finder.TryFindAsync(End))
        {
            isInParts = End - source.Segments[0].BaseOffset <= tools.KeyBytesMax;
            if (isInParts) await finder.FindInPartsAsync(End);
            else await FindAsFarAsThereIsRoomAsync(finder, keys.CountMax);
        }

        _filter = new BatchFilter(
            new(source.Start, source.FirstDirty, End, finder.Dead, isInParts || keys.Count == 0 ? null : keys, source.LastOfProducers, source.Aborted, nowMs, deleteRetentionMs), _decoder, tools.Compressors);
    }

    // There are no more keys than offsets.
    private async Task FindAsFarAsThereIsRoomAsync(DeadRecordFinder finder, long offsets)
    {
        do
        {
            GoUpTo(Offset.Min(source.End, source.FirstDirty + offsets));
            offsets /= 2;
        }
        while (!await finder.TryFindAsync(End));
    }

    // A batch in which the pass ends is left to the next one, unless the last one ended in it too: that is how one with more keys
    // than there is memory for is taken, in pieces.
    private void GoUpTo(Offset end)
    {
        (End, NextDirty) = (end, end);
        if (end == source.End) return;
        var batch = source.Segments.Last(segment => segment.BaseOffset <= end).BatchAt(end).BaseOffset;
        if (batch > source.FirstDirty) NextDirty = batch;
    }

    /// <summary>The segments that are to become one, from the first on.</summary>
    public IEnumerable<Segment[]> Groups(long segmentBytes)
    {
        var group = new List<Segment>();
        var bytes = 0L;
        foreach (var segment in source.Segments.TakeWhile(segment => segment.BaseOffset < End))
        {
            if (group.Count > 0 && (bytes + segment.Size > segmentBytes || segment.NextOffset - group[0].BaseOffset > int.MaxValue))
            {
                yield return [.. group];
                group.Clear();
                bytes = 0;
            }

            group.Add(segment);
            bytes += segment.Size;
        }

        if (group.Count > 0) yield return [.. group];
    }

    /// <summary>Writes what is left of a group, the next one after those before.</summary>
    public async Task RewriteAsync(Segment[] group, Segment output, int indexIntervalBytes)
    {
        Reads = group;
        output.Create();
        output.Log.Truncate(0);
        using var reader = new SegmentsReader(group, group[0].BaseOffset);
        using var writer = new CleanedSegmentWriter(output, indexIntervalBytes);
        var (written, flushed) = (0, 0);
        var flush = Task.CompletedTask;
        try
        {
            for (var read = 0; reader.MoveNext();)
            {
                Filter.Filter(reader.Header, reader.Batch, writer);
                if ((read += reader.TakeBytes()) < StepBytes) continue;
                await tools.Pace(read + output.Size - written);
                (read, written) = (0, output.Size);
                // The disk writes while the next records are looked at.
                if (written - flushed < FlushBytes) continue;
                await flush;
                flush = output.Log.FlushAsync().AsTask();
                flushed = written;
            }

            writer.Complete();
            await flush;
            Reads = [];
        }
        finally
        {
            // Nobody closes the file under it.
            await Task.WhenAny(flush);
            _ = flush.Exception;
        }
    }

    public void Dispose()
    {
        _filter?.Dispose();
        _decoder.Dispose();
    }
}
