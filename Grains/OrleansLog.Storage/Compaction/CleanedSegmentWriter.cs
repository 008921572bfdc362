using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>
/// Writes what is left of some segments into the one that takes their place. Runs of batches that are gone become one empty
/// batch for each leader epoch, so that offsets and epochs go on without a gap. One caller at a time.
/// </summary>
/// <param name="segment">The new one, whose files nobody else knows.</param>
/// <param name="indexIntervalBytes">Bytes between two entries of an index.</param>
internal sealed class CleanedSegmentWriter(Segment segment, int indexIntervalBytes) : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly PooledBufferWriter _buffer = new();
    private Offset _written = segment.BaseOffset;
    private (Offset From, Offset To, LeaderEpoch Epoch)? _gone;

    /// <summary>The offset after the last that something was said of.</summary>
    public Offset Next => _gone?.To ?? _written;

    /// <summary>Adds a batch, which begins at <see cref="Next"/>.</summary>
    public void Write(ReadOnlySpan<byte> batch, Offset nextOffset)
    {
        WriteGone();
        Append(batch, nextOffset);
    }

    /// <summary>Notes that a batch that began at <see cref="Next"/> is gone.</summary>
    public void Skip(Offset nextOffset, LeaderEpoch epoch)
    {
        var from = Next;
        if (_gone is { } run && (run.Epoch != epoch || nextOffset - run.From > int.MaxValue)) WriteGone();
        _gone = _gone is { } same ? same with { To = nextOffset } : (from, nextOffset, epoch);
    }

    /// <summary>Writes what is still in memory, to the page cache.</summary>
    public void Complete()
    {
        WriteGone();
        Flush();
        segment.StoreIndexes();
    }

    public void Dispose() => _buffer.Dispose();

    private void WriteGone()
    {
        if (_gone is not { } run) return;
        _gone = null;
        Span<byte> empty = stackalloc byte[EmptyBatch.Size];
        EmptyBatch.Write(empty, run.From, run.To, run.Epoch);
        Append(empty, run.To);
    }

    private void Append(ReadOnlySpan<byte> batch, Offset nextOffset)
    {
        if (_buffer.WrittenCount + batch.Length > BufferBytes) Flush();
        batch.CopyTo(_buffer.GetSpan(batch.Length));
        _buffer.Advance(batch.Length);
        _written = nextOffset;
    }

    private void Flush()
    {
        if (_buffer.WrittenCount == 0) return;
        if ((long)segment.Size + _buffer.WrittenCount > int.MaxValue)
            throw new StorageException($"{segment.LogPath} would outgrow what a segment can hold: set segment.bytes to 1 GiB or less");
        segment.Append(_buffer.WrittenSpan, _written, indexIntervalBytes);
        _buffer.Clear(2 * BufferBytes);
    }
}
