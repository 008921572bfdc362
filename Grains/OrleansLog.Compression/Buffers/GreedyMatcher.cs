using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansLog.Compression.Buffers;

/// <summary>Takes what a <see cref="GreedyMatcher"/> finds, in order.</summary>
internal interface IMatchSink
{
    /// <summary>
    /// Some literals, then <paramref name="length"/> bytes repeated from <paramref name="offset"/> bytes back.
    /// False: there is no room for them, stop.
    /// </summary>
    bool TryAdd(ReadOnlySpan<byte> literals, int offset, int length);
}

/// <summary>
/// Finds repeats within one block for the byte-oriented formats (lz4, snappy): one hash table of five-byte prefixes,
/// the first candidate taken, longer strides through stretches that do not repeat. Not thread-safe; reusable.
/// </summary>
internal sealed class GreedyMatcher
{
    /// <summary>The farthest back that both formats can point, in bytes.</summary>
    public const int OffsetMax = ushort.MaxValue;

    /// <summary>LZ4's rule, harmless to snappy: no match begins in the last 12 bytes of a block or covers the last 5.</summary>
    private const int MatchStartMargin = 12, MatchEndMargin = 5;

    private const int MatchLengthMin = 4;
    private const int HashLog = 13;

    /// <summary>After 64 misses in a row the stride grows by one, and so on.</summary>
    private const int StrideLog = 6;

    private readonly int[] _table = new int[1 << HashLog];

    // What earlier blocks left in the table lies below the base and so never counts: no clearing per block.
    private int _base = 1;

    /// <summary>Reports the matches of <paramref name="block"/>; returns where the last literals begin, or -1 if the sink was full.</summary>
    public int Run<TSink>(ReadOnlySpan<byte> block, ref TSink sink) where TSink : IMatchSink, allows ref struct
    {
        if (_base > int.MaxValue - block.Length)
        {
            Array.Clear(_table);
            _base = 1;
        }
        var result = block.Length <= MatchStartMargin ? 0 : Scan(block, ref sink);
        _base += block.Length;
        return result;
    }

    private int Scan<TSink>(ReadOnlySpan<byte> block, ref TSink sink) where TSink : IMatchSink, allows ref struct
    {
        // Every read of 8 bytes starts at or before the last start of a match, 12 bytes from the end.
        ref var origin = ref MemoryMarshal.GetReference(block);
        ref var table = ref MemoryMarshal.GetArrayDataReference(_table);
        var lastStart = block.Length - MatchStartMargin;
        var matchEnd = block.Length - MatchEndMargin;
        int anchor = 0, position = 0;
        while (position <= lastStart)
        {
            ref var entry = ref Unsafe.Add(ref table, Hash(RawBytes.Read64(ref origin, position)));
            var candidate = entry - _base;
            entry = position + _base;
            if (candidate < 0 || position - candidate > OffsetMax
                || RawBytes.Read32(ref origin, candidate) != RawBytes.Read32(ref origin, position))
            {
                position += 1 + ((position - anchor) >> StrideLog);
                continue;
            }
            while (position > anchor && candidate > 0
                && Unsafe.Add(ref origin, position - 1) == Unsafe.Add(ref origin, candidate - 1))
            {
                position--;
                candidate--;
            }
            var length = MatchLengthMin
                + RawBytes.CommonLength(ref origin, candidate + MatchLengthMin, position + MatchLengthMin, matchEnd);
            if (!sink.TryAdd(block[anchor..position], position - candidate, length)) return -1;
            position += length;
            anchor = position;
            if (position > lastStart) break;
            Unsafe.Add(ref table, Hash(RawBytes.Read64(ref origin, position - 2))) = position - 2 + _base;
        }
        return anchor;
    }

    /// <summary>Spreads the lowest five bytes over the table (multiplication by the golden ratio).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Hash(ulong bytes) => (int)(((bytes << 24) * 0x9E3779B97F4A7C15) >> (64 - HashLog));
}
