using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Builds a Huffman code for some literals and writes them by it (RFC 8878, section 4.2). Reusable; one call at a time.
/// </summary>
internal sealed class HuffmanEncoder
{
    private const int SymbolsMax = HuffmanWeights.SymbolsMax;
    private const int CodesPerFlush = 4;

    private readonly HuffmanLengths _lengths = new();
    private readonly HuffmanWeightsWriter _weights = new();
    private readonly Code[] _codes = new Code[SymbolsMax];

    /// <summary>
    /// Builds the best code for <paramref name="histogram"/>, in which two symbols or more occur, and returns how many
    /// bytes of streams it makes.
    /// </summary>
    public int Build(ReadOnlySpan<int> histogram)
    {
        _lengths.Build(histogram);
        AssignCodes();
        long bits = 0;
        for (var symbol = 0; symbol < SymbolsMax; symbol++) bits += (long)histogram[symbol] * _lengths.Lengths[symbol];
        return (int)((bits + 7) / 8);
    }

    /// <summary>Writes the tree; returns its size, or -1 if it does not fit or cannot be described.</summary>
    public int WriteTree(Span<byte> destination) => _weights.Write(_lengths, destination);

    /// <summary>Writes one stream; returns its size, or -1 if it does not fit.</summary>
    public int Encode(ReadOnlySpan<byte> literals, Span<byte> destination)
    {
        var writer = new BitWriter(destination);
        var codes = _codes;
        var i = literals.Length;
        while (i >= CodesPerFlush)
        {
            Add(ref writer, codes[literals[i - 1]]);
            Add(ref writer, codes[literals[i - 2]]);
            Add(ref writer, codes[literals[i - 3]]);
            Add(ref writer, codes[literals[i - 4]]);
            i -= CodesPerFlush;
            writer.Flush();
        }
        while (i > 0) Add(ref writer, codes[literals[--i]]);
        return writer.Close();
    }

    /// <summary>Writes four streams behind a table of the first three sizes; returns the size, or -1 if it does not fit.</summary>
    public int EncodeFour(ReadOnlySpan<byte> literals, Span<byte> destination)
    {
        var quarter = (literals.Length + 3) / 4;
        var at = 3 * sizeof(ushort);
        for (var stream = 0; stream < 4; stream++)
        {
            if (at >= destination.Length) return -1;
            var part = literals.Slice(stream * quarter, Math.Min(quarter, literals.Length - stream * quarter));
            var size = Encode(part, destination[at..]);
            if (size is < 0 or > ushort.MaxValue) return -1;
            if (stream < 3) BinaryPrimitives.WriteUInt16LittleEndian(destination[(stream * sizeof(ushort))..], (ushort)size);
            at += size;
        }
        return at;
    }

    /// <summary>Longer codes come first in the order of their bits, and symbols of one length in their own order.</summary>
    private void AssignCodes()
    {
        var next = 0;
        for (var length = _lengths.LengthMax; length > 0; length--)
        {
            var span = 1 << (_lengths.LengthMax - length);
            for (var symbol = 0; symbol < SymbolsMax; symbol++)
            {
                if (_lengths.Lengths[symbol] != length) continue;
                _codes[symbol] = new((ushort)(next / span), (ushort)length);
                next += span;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(ref BitWriter writer, Code code) => writer.Add(code.Bits, code.Length);

    private readonly record struct Code(ushort Bits, ushort Length);
}
