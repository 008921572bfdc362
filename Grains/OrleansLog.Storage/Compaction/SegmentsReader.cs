using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// Reads sealed segments that follow one another from front to back, every batch checked against its CRC: what is damaged must
/// not get a new one. One caller at a time.
/// </summary>
internal sealed class SegmentsReader(ReadOnlyMemory<Segment> segments, Offset from) : IDisposable
{
    private SegmentScanner? _scanner;
    private int _number = -1;
    private int _start;

    /// <summary>The segment that the batch is in.</summary>
    public Segment Segment => segments.Span[_number];

    public RecordBatchHeader Header => _scanner!.Header;

    public ReadOnlySpan<byte> Batch => _scanner!.Batch;

    /// <summary>Bytes that were read since somebody asked last.</summary>
    public int TakeBytes()
    {
        var bytes = _scanner is null ? 0 : _scanner.NextPosition - _start;
        _start += bytes;
        return bytes;
    }

    /// <exception cref="DamagedSegmentException">What comes next is no sound batch.</exception>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public bool MoveNext()
    {
        while (_scanner is null || !_scanner.MoveNext())
        {
            if (_scanner is not null && _scanner.NextOffset != Segment.NextOffset) throw new StorageException($"{Segment.LogPath} ends at offset {_scanner.NextOffset}, before {Segment.NextOffset}");
            if (_number + 1 == segments.Length) return false;
            Begin(++_number);
        }

        return _scanner.IsDamaged ? throw new DamagedSegmentException(Segment, _scanner.Damage(Segment.LogPath, Segment.NextOffset)) : true;
    }

    public void Dispose() => _scanner?.Dispose();

    private void Begin(int number)
    {
        _scanner?.Dispose();
        var segment = segments.Span[number];
        var (position, offset) = from <= segment.BaseOffset ? (0, segment.BaseOffset) : segment.BatchAt(from);
        _scanner = new SegmentScanner(segment.Log, position, segment.Size, offset, segment.KnownEpochs, segment.NextOffset);
        _start = position;
    }
}

/// <summary>A segment that is to be compacted holds what is no sound batch.</summary>
internal sealed class DamagedSegmentException(Segment segment, RefusedRange range) : StorageException($"{range}; the log is not compacted")
{
    public Segment Segment { get; } = segment;

    public RefusedRange Range { get; } = range;
}
