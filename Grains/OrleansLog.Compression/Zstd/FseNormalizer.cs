using System.Numerics;

namespace OrleansLog.Compression.Zstd;

/// <summary>Chooses and writes the distribution of an encoding table (RFC 8878, section 4.1.1).</summary>
internal static class FseNormalizer
{
    /// <summary>Bits of the fraction in costs.</summary>
    public const int CostShift = 8;

    /// <summary>log2 of 0..512 in 1/256.</summary>
    private static readonly ushort[] Log2Scaled =
        [0, .. Enumerable.Range(1, 512).Select(i => (ushort)Math.Round(Math.Log2(i) * (1 << CostShift)))];

    /// <summary>An accuracy that is worth its description for <paramref name="total"/> symbols.</summary>
    public static int AccuracyLogFor(int total, int symbols, int max)
    {
        var enough = BitOperations.Log2((uint)Math.Max(total - 1, 1)) - 2;
        var needed = BitOperations.Log2((uint)symbols) + 1;
        return Math.Clamp(Math.Max(enough, needed), FseDistribution.AccuracyLogMin, max);
    }

    /// <summary>Scales <paramref name="histogram"/> to the sum 2^accuracyLog, leaving no symbol that occurs without a state.</summary>
    public static void Normalize(ReadOnlySpan<int> histogram, int total, int accuracyLog, Span<short> counts)
    {
        var size = 1 << accuracyLog;
        var left = size;
        for (var symbol = 0; symbol < counts.Length; symbol++)
        {
            var exact = (long)histogram[symbol] * size;
            counts[symbol] = histogram[symbol] == 0 ? (short)0 : (short)Math.Max(1, (exact + total / 2) / total);
            left -= counts[symbol];
        }
        for (; left != 0; left -= Math.Sign(left)) counts[CheapestToMove(histogram, counts, Math.Sign(left))] += (short)Math.Sign(left);
    }

    /// <summary>What all the symbols cost by a distribution, in 1/256 bits; <see cref="long.MaxValue"/> if one has no state.</summary>
    public static long Cost(ReadOnlySpan<int> histogram, ReadOnlySpan<short> counts, int accuracyLog)
    {
        long cost = 0;
        for (var symbol = 0; symbol < histogram.Length; symbol++)
        {
            if (histogram[symbol] == 0) continue;
            if (symbol >= counts.Length || counts[symbol] == 0) return long.MaxValue;
            cost += (long)histogram[symbol] * ((accuracyLog << CostShift) - Log2Scaled[Math.Abs((int)counts[symbol])]);
        }
        return cost;
    }

    /// <summary>Writes the distribution; returns its size, or -1 if it does not fit.</summary>
    public static int Write(ReadOnlySpan<short> counts, int accuracyLog, Span<byte> destination)
    {
        var writer = new BitWriter(destination);
        writer.Add((uint)(accuracyLog - FseDistribution.AccuracyLogMin), 4);
        var left = 1 << accuracyLog;
        for (var symbol = 0; left > 0; symbol++)
        {
            WriteCount(ref writer, counts[symbol], left);
            left -= Math.Abs((int)counts[symbol]);
            if (counts[symbol] == 0) symbol += WriteZeroes(ref writer, counts[(symbol + 1)..]);
            writer.Flush();
        }
        return writer.CloseUnmarked();
    }

    private static void WriteCount(ref BitWriter writer, int count, int left)
    {
        var max = left + 1;
        var width = BitOperations.Log2((uint)max) + 1;
        var shortEnd = (1 << width) - 1 - max;
        var value = count + 1;
        if (value < shortEnd) writer.Add((uint)value, width - 1);
        else writer.Add((uint)(value >= 1 << (width - 1) ? value + shortEnd : value), width);
    }

    private static int WriteZeroes(ref BitWriter writer, ReadOnlySpan<short> rest)
    {
        var zeroes = rest.IndexOfAnyExcept((short)0);
        for (var written = 0; ; written += 3)
        {
            writer.Add((uint)Math.Min(zeroes - written, 3), 2);
            if (zeroes - written < 3) return zeroes;
            writer.Flush();
        }
    }

    /// <summary>The symbol whose share is farthest from exact in the direction of the change.</summary>
    private static int CheapestToMove(ReadOnlySpan<int> histogram, ReadOnlySpan<short> counts, int change)
    {
        var best = -1;
        var bestRatio = double.NegativeInfinity;
        for (var symbol = 0; symbol < counts.Length; symbol++)
        {
            if (counts[symbol] + change < 1 || histogram[symbol] == 0) continue;
            var ratio = change > 0
                ? histogram[symbol] / (double)counts[symbol]
                : -(histogram[symbol] / (counts[symbol] - 1.0));
            if (ratio <= bestRatio) continue;
            best = symbol;
            bestRatio = ratio;
        }
        return best;
    }
}
