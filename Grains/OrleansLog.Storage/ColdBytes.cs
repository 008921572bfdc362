using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>
/// The bytes of a segment that were there before the log was opened: nobody in this process has seen them whole. They
/// are checked, CRC and all, before they are served for the first time, a granule at a time, so that a cold sequential
/// read pays one extra pass at memory speed and a restart pays nothing. Any thread; two that meet check twice.
/// </summary>
internal sealed class ColdBytes(int end, Offset endOffset)
{
    private const int GranuleBytes = 1024 * 1024;
    private const int BitsPerWord = 32;

    private int _end = end;
    private Offset _endOffset = endOffset;
    private int[]? _checked;

    /// <summary>Checks the granules that <paramref name="from"/>..<paramref name="to"/> touches.</summary>
    public void EnsureChecked(Segment segment, int from, int to)
    {
        for (var position = from; position < to; position = (position / GranuleBytes + 1) * GranuleBytes)
            EnsureChecked(segment, position);
    }

    public void EnsureChecked(Segment segment, int position)
    {
        if (position >= _end) return;
        var granule = position / GranuleBytes;
        var words = Volatile.Read(ref _checked) ?? Interlocked.CompareExchange(ref _checked, NewWords(), null) ?? _checked;
        ref var word = ref words[granule / BitsPerWord];
        var bit = 1 << (granule % BitsPerWord);
        if ((Volatile.Read(ref word) & bit) != 0) return;
        Check(segment, granule);
        Interlocked.Or(ref word, bit);
    }

    public void Truncate(int size, Offset nextOffset)
    {
        if (size >= _end) return;
        _end = size;
        _endOffset = nextOffset;
    }

    private int[] NewWords() => new int[_end / GranuleBytes / BitsPerWord + 1];

    // Every batch that begins in the granule.
    private void Check(Segment segment, int granule)
    {
        var granuleEnd = Math.Min(_end, (granule + 1L) * GranuleBytes);
        using var scanner = ScannerAt(segment, granule * GranuleBytes);
        while (scanner.NextPosition < granuleEnd && scanner.MoveNext())
            if (scanner.IsDamaged) segment.Refuse(scanner.Damage(segment.LogPath, _endOffset));
        // The next segment begins further on: one between them is gone.
        if (scanner.NextPosition == _end && !scanner.IsDamaged && scanner.NextOffset < _endOffset)
            segment.Refuse(new RefusedRange(segment.LogPath, _end, 0, scanner.NextOffset, _endOffset, RefusedRange.IsMissing));
    }

    private SegmentScanner ScannerAt(Segment segment, int position)
    {
        var (start, offset) = segment.BatchBefore(position);
        foreach (var range in segment.Refused)
            if (range.Position <= start && start < range.Position + range.Length)
                (start, offset) = ((int)(range.Position + range.Length), range.To);
        return new SegmentScanner(segment.Log, start, _end, offset, segment.KnownEpochs, _endOffset);
    }
}
