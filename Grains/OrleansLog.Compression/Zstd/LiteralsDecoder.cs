using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Decodes the literals section of a block (RFC 8878, section 3.1.1.3.1). Remembers the Huffman tree for later blocks
/// of the frame.
/// </summary>
internal sealed class LiteralsDecoder
{
    private readonly HuffmanWeights _weights = new();
    private readonly HuffmanTable _table = new();
    private readonly byte[] _literals = new byte[ZstdFormat.BlockSizeMax + DecodedBuffer.Slack];
    private bool _hasTree;

    /// <summary>Literals of the present block.</summary>
    public int Count { get; private set; }

    /// <summary>The literals, followed by at least <see cref="DecodedBuffer.Slack"/> bytes that may be read.</summary>
    public byte[] Literals => _literals;

    /// <summary>Forgets what the frame before left.</summary>
    public void StartFrame() => _hasTree = false;

    /// <summary>Decodes the section at <paramref name="at"/>, and moves past it.</summary>
    public void Decode(ReadOnlySpan<byte> source, ref int at, int end)
    {
        if (at >= end) Corrupt.ThrowTruncated(at);
        var type = (LiteralsType)(source[at] & 3);
        if (type is LiteralsType.Raw or LiteralsType.Rle) DecodePlain(source, ref at, end, type);
        else DecodeCompressed(source, ref at, end, type);
    }

    private void DecodePlain(ReadOnlySpan<byte> source, ref int at, int end, LiteralsType type)
    {
        var format = (source[at] >> 2) & 3;
        var headerSize = format switch { 1 => 2, 3 => 3, _ => 1 };
        var header = ReadHeader(source, ref at, end, headerSize);
        SetCount((int)(header >> (headerSize == 1 ? 3 : 4)), at);
        var stored = type == LiteralsType.Raw ? Count : 1;
        if (stored > end - at) Corrupt.ThrowTruncated(end);
        if (type == LiteralsType.Raw) source.Slice(at, Count).CopyTo(_literals);
        else _literals.AsSpan(0, Count).Fill(source[at]);
        at += stored;
    }

    private void DecodeCompressed(ReadOnlySpan<byte> source, ref int at, int end, LiteralsType type)
    {
        var format = (source[at] >> 2) & 3;
        var (headerSize, sizeBits) = format switch { 2 => (4, 14), 3 => (5, 18), _ => (3, 10) };
        var header = ReadHeader(source, ref at, end, headerSize);
        var mask = (1ul << sizeBits) - 1;
        SetCount((int)((header >> 4) & mask), at);
        var size = (int)((header >> (4 + sizeBits)) & mask);
        if (size > end - at) Corrupt.ThrowTruncated(end);
        var sectionEnd = at + size;
        if (type == LiteralsType.Compressed) ReadTree(source, ref at, sectionEnd);
        else if (!_hasTree) Corrupt.Throw("A zstd block wants the Huffman tree of a block before, and there is none", at);
        var output = _literals.AsSpan(0, Count);
        if (format == 0) _table.Decode(source, at, sectionEnd, output);
        else _table.DecodeFour(source, at, sectionEnd, output);
        at = sectionEnd;
    }

    private void ReadTree(ReadOnlySpan<byte> source, ref int at, int end)
    {
        _hasTree = false;
        _weights.Read(source, ref at, end);
        _table.Build(_weights);
        _hasTree = true;
    }

    private void SetCount(int count, int position)
    {
        if (count > ZstdFormat.BlockSizeMax) Corrupt.Throw("A zstd block has more literals than a block may hold", position);
        Count = count;
    }

    private static ulong ReadHeader(ReadOnlySpan<byte> source, ref int at, int end, int size)
    {
        if (size > end - at) Corrupt.ThrowTruncated(end);
        Span<byte> header = stackalloc byte[sizeof(ulong)];
        header.Clear();
        source.Slice(at, size).CopyTo(header);
        at += size;
        return BinaryPrimitives.ReadUInt64LittleEndian(header);
    }
}
