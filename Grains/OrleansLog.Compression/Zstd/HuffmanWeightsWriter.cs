namespace OrleansLog.Compression.Zstd;

/// <summary>Describes a Huffman tree by its weights (RFC 8878, sections 4.2.1.1 and 4.2.1.2). Reusable.</summary>
internal sealed class HuffmanWeightsWriter
{
    private const int AccuracyLogMax = 6;
    private const int WeightsEnd = ZstdFormat.HuffmanBitsMax + 1;
    private const int DirectCountMax = 128;
    private const int CompressedSizeMax = 127;

    private readonly byte[] _weights = new byte[HuffmanWeights.SymbolsMax];
    private readonly byte[] _compressed = new byte[HuffmanWeights.SymbolsMax];
    private readonly FseEncoder _encoder = new(AccuracyLogMax, WeightsEnd);

    /// <summary>Writes the description in its smaller form; returns the size, or -1 if there is none that fits.</summary>
    public int Write(HuffmanLengths tree, Span<byte> destination)
    {
        // The last symbol's weight is implied.
        var count = tree.Lengths.LastIndexOfAnyExcept((byte)0);
        for (var symbol = 0; symbol < count; symbol++)
            _weights[symbol] = (byte)(tree.Lengths[symbol] == 0 ? 0 : tree.LengthMax + 1 - tree.Lengths[symbol]);
        var weights = _weights.AsSpan(0, count);
        var size = Compress(weights, _compressed);
        var directSize = count <= DirectCountMax ? (count + 1) / 2 : int.MaxValue;
        if (size is > 0 and <= CompressedSizeMax && size < directSize)
            return Put((byte)size, _compressed.AsSpan(0, size), destination);
        return directSize < int.MaxValue ? Put((byte)(DirectCountMax - 1 + count), Nibbles(weights), destination) : -1;
    }

    private static int Put(byte header, ReadOnlySpan<byte> description, Span<byte> destination)
    {
        if (1 + description.Length > destination.Length) return -1;
        destination[0] = header;
        description.CopyTo(destination[1..]);
        return 1 + description.Length;
    }

    private Span<byte> Nibbles(ReadOnlySpan<byte> weights)
    {
        var nibbles = _compressed.AsSpan(0, (weights.Length + 1) / 2);
        nibbles.Clear();
        for (var i = 0; i < weights.Length; i++) nibbles[i / 2] |= (byte)((i & 1) == 0 ? weights[i] << 4 : weights[i]);
        return nibbles;
    }

    /// <summary>Two states take turns, each for every other weight; returns -1 where that cannot be.</summary>
    private int Compress(ReadOnlySpan<byte> weights, Span<byte> destination)
    {
        Span<int> histogram = stackalloc int[WeightsEnd];
        histogram.Clear();
        foreach (var weight in weights) histogram[weight]++;
        if (weights.Length < 2 || histogram.IndexOf(weights.Length) >= 0) return -1;
        var symbols = WeightsEnd - histogram.Count(0);
        var accuracyLog = FseNormalizer.AccuracyLogFor(weights.Length, symbols, AccuracyLogMax);
        Span<short> counts = stackalloc short[WeightsEnd];
        FseNormalizer.Normalize(histogram, weights.Length, accuracyLog, counts);
        var headerSize = FseNormalizer.Write(counts, accuracyLog, destination);
        if (headerSize < 0) return -1;
        _encoder.Build(counts, accuracyLog);
        var size = EncodeWeights(weights, destination[headerSize..]);
        return size < 0 ? -1 : headerSize + size;
    }

    private int EncodeWeights(ReadOnlySpan<byte> weights, Span<byte> destination)
    {
        var writer = new BitWriter(destination);
        var last = weights.Length - 1;
        Span<uint> states = stackalloc uint[2];
        states[last & 1] = _encoder.Start(weights[last]);
        states[~last & 1] = _encoder.Start(weights[last - 1]);
        for (var i = last - 2; i >= 0; i--)
        {
            states[i & 1] = _encoder.Encode(ref writer, states[i & 1], weights[i]);
            writer.Flush();
        }
        _encoder.Finish(ref writer, states[1]);
        _encoder.Finish(ref writer, states[0]);
        return writer.Close();
    }
}
