using OrleansLog.Protocol;

namespace OrleansLog.Storage.Compaction;

/// <summary>Some batches of a segment that follow one another.</summary>
/// <param name="Segment">The segment.</param>
/// <param name="Start">Where the first begins in it.</param>
/// <param name="End">Where the last ends.</param>
/// <param name="BaseOffset">The first offset.</param>
/// <param name="NextOffset">The offset after the last.</param>
internal readonly record struct SegmentPiece(Segment Segment, int Start, int End, Offset BaseOffset, Offset NextOffset)
{
    /// <summary>Cuts segments into pieces of some size or, as the index allows, a little more; the last one first.</summary>
    public static IEnumerable<SegmentPiece> Backwards(Segment[] segments, int bytes)
    {
        foreach (var segment in segments.Reverse())
        {
            var (end, next) = (segment.Size, segment.NextOffset);
            while (end > 0)
            {
                var (start, first) = segment.BatchBefore(Math.Max(0, end - bytes));
                yield return new(segment, start, end, first, next);
                (end, next) = (start, first);
            }
        }
    }
}
