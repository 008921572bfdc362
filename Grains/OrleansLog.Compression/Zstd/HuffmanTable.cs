using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansLog.Compression.Zstd;

/// <summary>A decoding table of a Huffman tree, and the decoding by it (RFC 8878, section 4.2). Reusable.</summary>
internal sealed class HuffmanTable
{
    /// <summary>As many codes as one refill surely holds.</summary>
    private const int CodesPerRefill = BackwardBitReader.BitsPerRefill / ZstdFormat.HuffmanBitsMax;

    // By the next bits of the stream: the symbol, and above it the length of its code.
    private readonly ushort[] _entries = new ushort[1 << ZstdFormat.HuffmanBitsMax];
    private int _bitsMax;

    /// <summary>Builds from weights that make a complete tree: codes of larger weight are shorter.</summary>
    public void Build(HuffmanWeights tree)
    {
        _bitsMax = tree.BitsMax;
        var next = 0;
        for (var weight = 1; weight <= _bitsMax; weight++)
        {
            for (var symbol = 0; symbol < tree.Weights.Length; symbol++)
            {
                if (tree.Weights[symbol] != weight) continue;
                var span = 1 << (weight - 1);
                _entries.AsSpan(next, span).Fill((ushort)(symbol | ((_bitsMax + 1 - weight) << 8)));
                next += span;
            }
        }
    }

    /// <summary>Decodes one stream, which holds exactly as many symbols as <paramref name="output"/>.</summary>
    public void Decode(ReadOnlySpan<byte> source, int start, int end, Span<byte> output)
    {
        FinishStream(new(source, start, end), output, start);
    }

    /// <summary>
    /// Decodes four streams that follow each other behind a table of the first three sizes; each but the last holds a
    /// quarter of the symbols, rounded up. Interleaved, since the next code of a stream waits for the one before.
    /// </summary>
    public void DecodeFour(ReadOnlySpan<byte> source, int start, int end, Span<byte> output)
    {
        const int sizesLength = 3 * sizeof(ushort);
        if (end - start < sizesLength) Corrupt.ThrowTruncated(end);
        var at1 = start + sizesLength;
        var at2 = at1 + (source[start] | (source[start + 1] << 8));
        var at3 = at2 + (source[start + 2] | (source[start + 3] << 8));
        var at4 = at3 + (source[start + 4] | (source[start + 5] << 8));
        var quarter = (output.Length + 3) / 4;
        if (at4 >= end || 3 * quarter > output.Length) Corrupt.Throw("A zstd literals section divides badly", start);
        var stream1 = new BackwardBitReader(source, at1, at2);
        var stream2 = new BackwardBitReader(source, at2, at3);
        var stream3 = new BackwardBitReader(source, at3, at4);
        var stream4 = new BackwardBitReader(source, at4, end);

        // Every index is below the table's 2^bitsMax entries, and the last quarter is never longer than the others.
        ref var entries = ref MemoryMarshal.GetArrayDataReference(_entries);
        ref var literals = ref MemoryMarshal.GetReference(output);
        var bitsMax = _bitsMax;
        var done = 0;
        for (var together = output.Length - 3 * quarter; done <= together - CodesPerRefill; done += CodesPerRefill)
        {
            stream1.Refill();
            stream2.Refill();
            stream3.Refill();
            stream4.Refill();
            for (var i = done; i < done + CodesPerRefill; i++)
            {
                Unsafe.Add(ref literals, i) = Next(ref stream1, ref entries, bitsMax);
                Unsafe.Add(ref literals, i + quarter) = Next(ref stream2, ref entries, bitsMax);
                Unsafe.Add(ref literals, i + 2 * quarter) = Next(ref stream3, ref entries, bitsMax);
                Unsafe.Add(ref literals, i + 3 * quarter) = Next(ref stream4, ref entries, bitsMax);
            }
        }
        FinishStream(stream1, output[done..quarter], at1);
        FinishStream(stream2, output[(quarter + done)..(2 * quarter)], at2);
        FinishStream(stream3, output[(2 * quarter + done)..(3 * quarter)], at3);
        FinishStream(stream4, output[(3 * quarter + done)..], at4);
    }

    private void FinishStream(BackwardBitReader stream, Span<byte> output, int position)
    {
        ref var entries = ref MemoryMarshal.GetArrayDataReference(_entries);
        for (var i = 0; i < output.Length;)
        {
            stream.Refill();
            for (var end = Math.Min(i + CodesPerRefill, output.Length); i < end; i++)
                output[i] = Next(ref stream, ref entries, _bitsMax);
        }
        if (!stream.IsExactlyRead) Corrupt.Throw("A zstd literals stream does not hold what it should", position);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte Next(ref BackwardBitReader stream, ref ushort entries, int bitsMax)
    {
        var entry = Unsafe.Add(ref entries, (nint)stream.Peek(bitsMax));
        stream.Skip(entry >> 8);
        return (byte)entry;
    }
}
