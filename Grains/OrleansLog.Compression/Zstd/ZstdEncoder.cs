using System.Buffers;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Encodes zstd frames (RFC 8878). Holds the working memory of one call at a time (some 1.5 MiB); reusable.
/// </summary>
internal sealed class ZstdEncoder
{
    /// <summary>A compressed block is at least this much smaller than a raw one, or it is not worth the decoding.</summary>
    private const int GainMin = 8;

    /// <summary>What bit writers want to find behind the last byte.</summary>
    private const int WriterMargin = 8;

    private readonly MatchFinder _matches = new();
    private readonly SequenceStore _store = new();
    private readonly LiteralsEncoder _literals = new();
    private readonly SequencesEncoder _sequences = new();

    /// <summary>Appends one frame that holds <paramref name="source"/>.</summary>
    public void EncodeFrame(ReadOnlySpan<byte> source, IBufferWriter<byte> destination)
    {
        var header = FrameHeader.Write(
            destination.GetSpan(FrameHeader.WrittenSizeMax), source.Length, MatchFinder.WindowLog);
        destination.Advance(header);
        _matches.StartFrame(source.Length);
        _store.StartFrame();
        var start = 0;
        do
        {
            var end = start + Math.Min(ZstdFormat.BlockSizeMax, source.Length - start);
            EncodeBlock(source, start, end, destination);
            start = end;
        }
        while (start < source.Length);
    }

    private void EncodeBlock(ReadOnlySpan<byte> source, int start, int end, IBufferWriter<byte> destination)
    {
        var block = source[start..end];
        var span = destination.GetSpan(ZstdFormat.BlockHeaderSize + block.Length + WriterMargin);
        var body = span[ZstdFormat.BlockHeaderSize..];
        var repeats = _store.Repeats;
        var (type, size, stored) = (BlockType.Compressed, 0, 0);
        if (block.Length > 1 && block.IndexOfAnyExcept(block[0]) < 0)
        {
            body[0] = block[0];
            (type, size, stored) = (BlockType.Rle, block.Length, 1);
        }
        else if ((stored = size = TryCompress(source, start, end, body[..Math.Max(0, block.Length - GainMin + WriterMargin)])) < 0)
        {
            // The decoder sees no sequences of this block, so it keeps the offsets of the one before.
            _store.Repeats = repeats;
            block.CopyTo(body);
            (type, size, stored) = (BlockType.Raw, block.Length, block.Length);
        }
        WriteHeader(span, type, size, isLast: end == source.Length);
        destination.Advance(ZstdFormat.BlockHeaderSize + stored);
    }

    /// <summary>Writes the block's sections; returns their size, or -1 if it is not smaller than the block.</summary>
    private int TryCompress(ReadOnlySpan<byte> source, int start, int end, Span<byte> body)
    {
        _store.StartBlock();
        _matches.FindBlock(source, start, end, _store);
        var literals = _literals.Encode(_store.Literals, body);
        if (literals < 0) return -1;
        var sequences = _sequences.Encode(_store.Sequences, body[literals..]);
        return sequences < 0 || literals + sequences > end - start - GainMin ? -1 : literals + sequences;
    }

    private static void WriteHeader(Span<byte> destination, BlockType type, int size, bool isLast)
    {
        var header = (size << 3) | ((int)type << 1) | (isLast ? 1 : 0);
        destination[0] = (byte)header;
        destination[1] = (byte)(header >> 8);
        destination[2] = (byte)(header >> 16);
    }
}
