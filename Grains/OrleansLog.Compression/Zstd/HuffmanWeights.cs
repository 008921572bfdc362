using System.Numerics;

namespace OrleansLog.Compression.Zstd;

/// <summary>Reads the weights that describe a Huffman tree (RFC 8878, sections 4.2.1.1 to 4.2.1.3). Reusable.</summary>
internal sealed class HuffmanWeights
{
    public const int SymbolsMax = 256;

    private const int AccuracyLogMax = 6;
    private const int DirectHeaderMin = 128;

    private static readonly uint[] Numbers = [.. Enumerable.Range(0, ZstdFormat.HuffmanBitsMax + 2).Select(i => (uint)i)];
    private static readonly byte[] NoExtraBits = new byte[ZstdFormat.HuffmanBitsMax + 2];

    private readonly FseTable _table = new(AccuracyLogMax);
    private readonly byte[] _weights = new byte[SymbolsMax];
    private int _count;

    /// <summary>The weight of each symbol; 0 for those that do not occur.</summary>
    public ReadOnlySpan<byte> Weights => _weights.AsSpan(0, _count);

    /// <summary>The length of the longest code.</summary>
    public int BitsMax { get; private set; }

    /// <summary>Reads the description at <paramref name="at"/>, and moves past it.</summary>
    public void Read(ReadOnlySpan<byte> source, ref int at, int end)
    {
        if (at >= end) Corrupt.ThrowTruncated(at);
        var start = at;
        int header = source[at++];
        var size = header >= DirectHeaderMin ? (header - DirectHeaderMin + 2) / 2 : header;
        if (size > end - at) Corrupt.ThrowTruncated(end);
        if (header >= DirectHeaderMin) ReadDirect(source.Slice(at, size), header - DirectHeaderMin + 1);
        else ReadCompressed(source, at, at + size);
        at += size;
        AddLast(start);
    }

    private void ReadDirect(ReadOnlySpan<byte> nibbles, int count)
    {
        for (var i = 0; i < count; i++)
            _weights[i] = (byte)((i & 1) == 0 ? nibbles[i / 2] >> 4 : nibbles[i / 2] & 0xF);
        _count = count;
    }

    /// <summary>Two FSE decoders take turns until the stream is used up; each then still holds one symbol.</summary>
    private void ReadCompressed(ReadOnlySpan<byte> source, int at, int end)
    {
        Span<short> counts = stackalloc short[ZstdFormat.HuffmanBitsMax + 2];
        var accuracyLog = FseDistribution.Read(source, ref at, end, counts, AccuracyLogMax);
        _table.Build(counts, accuracyLog, Numbers, NoExtraBits);
        var states = _table.States;
        var bits = new BackwardBitReader(source, at, end);
        bits.Refill();
        var state = states[(int)bits.Read(accuracyLog)];
        var other = states[(int)bits.Read(accuracyLog)];
        if (bits.Remaining < 0) Corrupt.ThrowTruncated(at);
        for (_count = 0; ; (state, other) = (other, state))
        {
            // One weight fewer than symbols, since the last is implied; two are still to come here.
            if (_count > SymbolsMax - 3) Corrupt.Throw("A zstd Huffman tree has too many symbols", at);
            bits.Refill();
            _weights[_count++] = (byte)state.Baseline;
            var next = state.NextState + (int)bits.Read(state.StateBits);
            if (bits.Remaining < 0) break;
            state = states[next];
        }
        _weights[_count++] = (byte)other.Baseline;
    }

    /// <summary>The last symbol's weight is not written: it is what completes the tree.</summary>
    private void AddLast(int position)
    {
        var sum = 0;
        foreach (var weight in Weights)
        {
            if (weight > ZstdFormat.HuffmanBitsMax) Corrupt.Throw("A zstd Huffman code is longer than allowed", position);
            sum += (1 << weight) >> 1;
        }
        if (sum == 0) Corrupt.Throw("A zstd Huffman tree is empty", position);
        BitsMax = BitOperations.Log2((uint)sum) + 1;
        var rest = (1 << BitsMax) - sum;
        if (BitsMax > ZstdFormat.HuffmanBitsMax || !BitOperations.IsPow2(rest))
            Corrupt.Throw("A zstd Huffman tree is not complete", position);
        _weights[_count++] = (byte)(BitOperations.Log2((uint)rest) + 1);
    }
}
