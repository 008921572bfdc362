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
/// One pass over a log, as in Kafka's cleaner: the keys of what is dirty are mapped to their last offsets; then everything is
/// rewritten without the records that come before the last of their key, as many segments at a time as fit into one. Where there
/// is no memory for all keys they are taken in parts (<see cref="KeysInParts"/>); a log with too many records even for that is
/// compacted as far as there is memory for its keys, and the rest by the next pass. One caller.
/// </summary>
internal sealed class CompactionPass(CompactionSource source, CompactionTools tools) : IDisposable
{
    public const int StepBytes = 1 << 20;
    private const int FlushBytes = 16 << 20;

    private readonly BatchDecoder _decoder = new(tools.Compressors, new KeyHasher(tools.HashSeed));
    private BatchFilter? _filter;

    /// <summary>Records before it were looked at by <see cref="MapKeysAsync"/>.</summary>
    public Offset End { get; private set; } = source.End;

    /// <summary>Where the next pass is to begin.</summary>
    public Offset NextDirty { get; private set; } = source.End;

    public BatchFilter Filter => _filter!;

    /// <summary>The segments that it is reading.</summary>
    public IReadOnlyList<Segment> Reads { get; private set; } = source.Segments;

    /// <summary>Finds the last offset of every key of what is dirty.</summary>
    public async Task MapKeysAsync(long nowMs, long deleteRetentionMs)
    {
        var dirty = source.Segments.AsMemory(source.Segments.TakeWhile(segment => segment.NextOffset <= source.FirstDirty).Count());
        var first = FirstBaseOf(dirty);
        var map = new OffsetMap(source.End - first, tools.KeyBytesMax, first);
        await MapAsync(dirty, map);
        // A bit for each record takes an eighth of the memory at most.
        var isSmall = source.End - source.Segments[0].BaseOffset <= Math.Min(tools.KeyBytesMax, uint.MaxValue - 1);
        var dead = End < source.End && isSmall ? await new KeysInParts(source, tools, _decoder, map).FindDeadAsync(End - first, source.End - first) : null;
        if (dead is not null) End = NextDirty = source.End;
        _decoder.HashesKeys = dead is null;
        _filter = new BatchFilter(
            new(source.Start, source.FirstDirty, End, map, source.LastOfProducers, source.Aborted, nowMs, deleteRetentionMs) { Dead = dead }, _decoder, tools.Compressors);
    }

    private async Task MapAsync(ReadOnlyMemory<Segment> dirty, OffsetMap map)
    {
        using var reader = new SegmentsReader(dirty, source.FirstDirty);
        var aborted = new AbortedRecords(source.Aborted);
        for (var read = 0; reader.MoveNext();)
        {
            if (!TryMap(reader, aborted, map)) break;
            if ((read += reader.TakeBytes()) < StepBytes) continue;
            await tools.Pace(read);
            read = 0;
        }
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

    private Offset FirstBaseOf(ReadOnlyMemory<Segment> dirty) =>
        dirty.Length == 0 ? source.End : Offset.Min(source.FirstDirty, dirty.Span[0].BatchAt(Offset.Max(source.FirstDirty, dirty.Span[0].BaseOffset)).BaseOffset);

    // False when the memory is full, or offsets lie too far apart.
    private bool TryMap(SegmentsReader reader, AbortedRecords aborted, OffsetMap map)
    {
        var header = reader.Header;
        if (header.IsControl || aborted.Contains(header) || !_decoder.TryDecode(header, reader.Batch, out _)) return true;
        var places = _decoder.Places;
        for (var i = 0; i < places.Length; i++)
        {
            if (i + OffsetMap.Ahead < places.Length) map.Prefetch(places[i + OffsetMap.Ahead].Key);
            ref readonly var place = ref places[i];
            if (!place.HasKey) continue;
            var offset = header.BaseOffset + place.OffsetDelta;
            if (map.TryPut(place.Key, offset)) continue;
            // A batch with more keys than there is memory for is taken in pieces.
            (End, NextDirty) = (offset, header.BaseOffset > source.FirstDirty ? header.BaseOffset : offset);
            return false;
        }

        return true;
    }
}
