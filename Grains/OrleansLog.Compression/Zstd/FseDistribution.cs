using System.Numerics;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// The description of an FSE table: how many of its 2^accuracyLog states each symbol has (RFC 8878, section 4.1.1).
/// </summary>
internal static class FseDistribution
{
    public const int AccuracyLogMin = 5;

    /// <summary>
    /// Reads a description that starts at <paramref name="at"/>, and moves past it. Fills <paramref name="counts"/> to
    /// its end; -1 stands for a probability below one. Returns the accuracy log.
    /// </summary>
    public static int Read(ReadOnlySpan<byte> source, ref int at, int end, Span<short> counts, int accuracyLogMax)
    {
        var bits = new ForwardBits(source[..end], at);
        var accuracyLog = bits.Read(4) + AccuracyLogMin;
        if (accuracyLog > accuracyLogMax) Corrupt.Throw("A zstd table is larger than allowed", at);
        counts.Clear();
        var symbol = 0;
        for (var left = 1 << accuracyLog; left > 0;)
        {
            if (symbol >= counts.Length) Corrupt.Throw("A zstd table has too many symbols", at);
            var count = ReadCount(ref bits, left);
            counts[symbol++] = (short)count;
            left -= Math.Abs(count);
            if (count == 0) symbol += ReadZeroes(ref bits, counts.Length);
        }
        at = bits.NextByte;
        if (at > end) Corrupt.ThrowTruncated(end);
        return accuracyLog;
    }

    /// <summary>A number up to left + 1, one more than the count, in as few bits as tell all such numbers apart.</summary>
    private static int ReadCount(ref ForwardBits bits, int left)
    {
        var max = left + 1;
        var width = BitOperations.Log2((uint)max) + 1;
        // The lowest numbers do with one bit less.
        var shortEnd = (1 << width) - 1 - max;
        var value = bits.Peek(width);
        var low = value & ((1 << (width - 1)) - 1);
        if (low < shortEnd)
        {
            bits.Skip(width - 1);
            return low - 1;
        }
        bits.Skip(width);
        return (value >= 1 << (width - 1) ? value - shortEnd : value) - 1;
    }

    /// <summary>After a count of zero, how many more zeroes follow: in twos bits, until a number below 3.</summary>
    private static int ReadZeroes(ref ForwardBits bits, int max)
    {
        var zeroes = 0;
        int repeat;
        do
        {
            repeat = bits.Read(2);
            zeroes += repeat;
        }
        while (repeat == 3 && zeroes < max);
        return zeroes;
    }

    /// <summary>Reads bits from the lowest of the first byte on; past the end there are zeroes.</summary>
    private ref struct ForwardBits(ReadOnlySpan<byte> source, int start)
    {
        private readonly ReadOnlySpan<byte> _source = source;
        private long _position = start * 8L;

        /// <summary>The first byte that no bit was read of.</summary>
        public readonly int NextByte => (int)((_position + 7) >> 3);

        /// <summary>At most 16 bits.</summary>
        public readonly int Peek(int count)
        {
            var at = (int)(_position >> 3);
            var bits = 0;
            for (var i = 0; i < 3 && at + i < _source.Length; i++) bits |= _source[at + i] << (8 * i);
            return (bits >> (int)(_position & 7)) & ((1 << count) - 1);
        }

        public void Skip(int count) => _position += count;

        public int Read(int count)
        {
            var value = Peek(count);
            Skip(count);
            return value;
        }
    }
}
