using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

/// <summary>
/// Steps from batch to batch through part of a segment, reading headers only, a small block at a time. Bytes that were
/// there before the log was opened are checked before they are stepped over; damaged ones are skipped.
/// </summary>
internal ref struct BatchWalker
{
    /// <summary>A good size for the block that the caller lends.</summary>
    public const int BlockSize = 2048;

    private readonly Segment _segment;
    private readonly Span<byte> _block;
    private readonly int _end;
    private int _blockPosition;
    private int _blockLength;
    private int _next;

    /// <param name="segment">The segment to walk.</param>
    /// <param name="position">Where a batch begins.</param>
    /// <param name="end">Where the last batch ends.</param>
    /// <param name="block">Scratch space for the walk, at least a batch header long.</param>
    public BatchWalker(Segment segment, int position, int end, Span<byte> block)
    {
        _segment = segment;
        _next = position;
        _end = end;
        _block = block;
    }

    /// <summary>The batch that the walk stands on.</summary>
    public RecordBatchHeader Header { get; private set; }

    public int Position { get; private set; }

    public readonly int NextPosition => _next;

    public bool MoveNext()
    {
        if (_next < _end) _next = _segment.SkipDamage(_next);
        if (_next >= _end) return false;
        Position = _next;
        Header = ReadHeader(_next);
        _next += Header.SizeInBytes;
        return true;
    }

    /// <summary>Reads the end of a transaction, if the walk stands on one.</summary>
    public readonly bool TryReadMarker(out EndTransactionMarker marker)
    {
        marker = default;
        if (!Header.IsControl) return false;
        Span<byte> batch = stackalloc byte[EndTransactionMarker.ReadBytes];
        return EndTransactionMarker.TryRead(batch[.._segment.Log.ReadFully(Position, batch)], out marker);
    }

    private RecordBatchHeader ReadHeader(int position)
    {
        var offset = position - _blockPosition;
        if (offset < 0 || offset + RecordBatchHeader.Size > _blockLength)
        {
            _blockPosition = position;
            _blockLength = _segment.Log.ReadFully(position, _block[..Math.Min(_block.Length, _end - position)]);
            offset = 0;
        }

        if (RecordBatchHeader.TryRead(_block[offset.._blockLength], out var header) != ErrorCode.None
            || header.SizeInBytes > _end - position)
        {
            throw new StorageException($"{_segment.LogPath}: no record batch begins at byte {position}");
        }

        return header;
    }
}
