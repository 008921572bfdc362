using System.Buffers.Binary;

namespace OrleansLog.Compression.Zstd;

/// <summary>Writes the literals section of a block in its smallest form (RFC 8878, section 3.1.1.3.1). Reusable.</summary>
internal sealed class LiteralsEncoder
{
    /// <summary>Fewer literals do not earn a tree.</summary>
    private const int HuffmanCountMin = 48;

    /// <summary>Fewer literals do not earn four streams.</summary>
    private const int FourStreamsCountMin = 256;

    private readonly HuffmanEncoder _huffman = new();
    private readonly int[] _histogram = new int[4 * HuffmanWeights.SymbolsMax];

    /// <summary>Writes the section; returns its size, or -1 if it does not fit.</summary>
    public int Encode(ReadOnlySpan<byte> literals, Span<byte> destination)
    {
        if (literals.Length > 3 && literals.IndexOfAnyExcept(literals[0]) < 0)
            return WritePlain(LiteralsType.Rle, literals.Length, literals[..1], destination);
        if (literals.Length >= HuffmanCountMin)
        {
            var size = WriteCompressed(literals, destination);
            if (size >= 0) return size;
        }
        return WritePlain(LiteralsType.Raw, literals.Length, literals, destination);
    }

    private static int WritePlain(LiteralsType type, int count, ReadOnlySpan<byte> stored, Span<byte> destination)
    {
        var (headerSize, format, shift) = count < 32 ? (1, 0, 3) : count < 4096 ? (2, 1, 4) : (3, 3, 4);
        if (headerSize + stored.Length > destination.Length) return -1;
        WriteNumber((ulong)((count << shift) | (format << 2) | (int)type), headerSize, destination);
        stored.CopyTo(destination[headerSize..]);
        return headerSize + stored.Length;
    }

    /// <summary>-1 if the literals do not shrink enough to be worth the decoding.</summary>
    private int WriteCompressed(ReadOnlySpan<byte> literals, Span<byte> destination)
    {
        var histogram = Count(literals);
        var gainMin = literals.Length / 64 + 2;
        if (_huffman.Build(histogram) > literals.Length - gainMin) return -1;
        var isSingle = literals.Length < FourStreamsCountMin;
        var (headerSize, format, sizeBits) = literals.Length < 1024 ? (3, isSingle ? 0 : 1, 10)
            : literals.Length < 16 * 1024 ? (4, 2, 14) : (5, 3, 18);
        if (destination.Length <= headerSize) return -1;
        var body = destination[headerSize..];
        var tree = _huffman.WriteTree(body);
        if (tree < 0) return -1;
        var streams = isSingle ? _huffman.Encode(literals, body[tree..]) : _huffman.EncodeFour(literals, body[tree..]);
        if (streams < 0 || tree + streams > literals.Length - gainMin) return -1;
        var header = (ulong)LiteralsType.Compressed | ((ulong)format << 2) | ((ulong)literals.Length << 4)
            | ((ulong)(tree + streams) << (4 + sizeBits));
        WriteNumber(header, headerSize, destination);
        return headerSize + tree + streams;
    }

    /// <summary>Counts in four tables by turns, since equal neighbours would wait for each other in one.</summary>
    private ReadOnlySpan<int> Count(ReadOnlySpan<byte> literals)
    {
        const int size = HuffmanWeights.SymbolsMax;
        Array.Clear(_histogram);
        var i = 0;
        for (; i + 4 <= literals.Length; i += 4)
        {
            _histogram[literals[i]]++;
            _histogram[size + literals[i + 1]]++;
            _histogram[2 * size + literals[i + 2]]++;
            _histogram[3 * size + literals[i + 3]]++;
        }
        for (; i < literals.Length; i++) _histogram[literals[i]]++;
        for (var symbol = 0; symbol < size; symbol++)
            _histogram[symbol] += _histogram[size + symbol] + _histogram[2 * size + symbol] + _histogram[3 * size + symbol];
        return _histogram.AsSpan(0, size);
    }

    private static void WriteNumber(ulong value, int bytes, Span<byte> destination)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        number[..bytes].CopyTo(destination);
    }
}
