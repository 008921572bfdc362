using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Finds repeats within the window: one hash table of eight-byte prefixes for long matches, one of five-byte prefixes
/// for short ones, and the last two offsets, which log lines of one shape repeat. Not thread-safe; reusable.
/// </summary>
internal sealed class MatchFinder
{
    /// <summary>Matches reach back this far as a power of two: 1 MiB, which every decoder grants.</summary>
    public const int WindowLog = 20;

    private const int LongLogMax = 17, ShortLogMax = 16, TableLogMin = 10;

    /// <summary>Bytes that the reads of one position touch.</summary>
    private const int ReadSize = 9;

    /// <summary>After 256 misses in a row the stride grows by one, and so on.</summary>
    private const int StrideLog = 8;

    private readonly int[] _long = new int[1 << LongLogMax];
    private readonly int[] _short = new int[1 << ShortLogMax];

    // What earlier frames left in the tables lies below the base and so never counts: no clearing per frame.
    private int _base = 1;
    private int _nextBase = 1;
    private int _longShift;
    private int _shortShift;

    /// <summary>Prepares for a frame of <paramref name="length"/> bytes.</summary>
    public void StartFrame(int length)
    {
        _base = _nextBase;
        if (_base > int.MaxValue - length)
        {
            Array.Clear(_long);
            Array.Clear(_short);
            _base = 1;
        }
        _nextBase = _base + length;
        // Small frames touch small parts of the tables.
        var log = BitOperations.Log2((uint)length | 1) + 1;
        _longShift = 64 - Math.Clamp(log, TableLogMin, LongLogMax);
        _shortShift = 64 - Math.Clamp(log, TableLogMin, ShortLogMax);
    }

    /// <summary>Stores the sequences and literals of <paramref name="source"/> from <paramref name="start"/> to <paramref name="end"/>.</summary>
    public void FindBlock(ReadOnlySpan<byte> source, int start, int end, SequenceStore store)
    {
        ref var origin = ref MemoryMarshal.GetReference(source);
        ref var longs = ref MemoryMarshal.GetArrayDataReference(_long);
        ref var shorts = ref MemoryMarshal.GetArrayDataReference(_short);
        var lastStart = end - ReadSize;
        int anchor = start, position = start, tableBase = _base;
        int first = (int)store.Repeats.First, second = (int)store.Repeats.Second;
        while (position <= lastStart)
        {
            // All reads are at most 9 bytes from a position up to lastStart, or at candidates before it.
            var bytes = RawBytes.Read64(ref origin, position);
            ref var longEntry = ref Unsafe.Add(ref longs, HashLong(bytes));
            ref var shortEntry = ref Unsafe.Add(ref shorts, HashShort(bytes));
            var longCandidate = longEntry - tableBase;
            var shortCandidate = shortEntry - tableBase;
            longEntry = shortEntry = position + tableBase;
            var lowest = Math.Max(0, position - (1 << WindowLog) + 1);
            int offset, length;
            if (position + 1 - first >= lowest
                && RawBytes.Read32(ref origin, position + 1 - first) == RawBytes.Read32(ref origin, position + 1))
            {
                position++;
                offset = first;
                length = 4 + RawBytes.CommonLength(ref origin, position + 4 - offset, position + 4, end);
            }
            else
            {
                if (longCandidate >= lowest && RawBytes.Read64(ref origin, longCandidate) == bytes)
                {
                    offset = position - longCandidate;
                    length = 8 + RawBytes.CommonLength(ref origin, longCandidate + 8, position + 8, end);
                }
                else if (shortCandidate >= lowest && RawBytes.Read32(ref origin, shortCandidate) == (uint)bytes)
                {
                    // A long match one byte on is worth more than a short one here.
                    var nextBytes = RawBytes.Read64(ref origin, position + 1);
                    ref var nextEntry = ref Unsafe.Add(ref longs, HashLong(nextBytes));
                    var nextCandidate = nextEntry - tableBase;
                    nextEntry = position + 1 + tableBase;
                    if (nextCandidate > lowest && RawBytes.Read64(ref origin, nextCandidate) == nextBytes)
                    {
                        position++;
                        offset = position - nextCandidate;
                        length = 8 + RawBytes.CommonLength(ref origin, nextCandidate + 8, position + 8, end);
                    }
                    else
                    {
                        offset = position - shortCandidate;
                        length = 4 + RawBytes.CommonLength(ref origin, shortCandidate + 4, position + 4, end);
                    }
                }
                else
                {
                    position += 1 + ((position - anchor) >> StrideLog);
                    continue;
                }
                while (position > anchor && position - offset > lowest
                    && Unsafe.Add(ref origin, position - 1) == Unsafe.Add(ref origin, position - 1 - offset))
                {
                    position--;
                    length++;
                }
                second = first;
                first = offset;
            }
            store.Add(source, anchor, position, offset, length);
            var matched = position;
            position += length;
            anchor = position;
            if (position > lastStart) break;
            Insert(ref origin, ref longs, ref shorts, matched + 2);
            Insert(ref origin, ref longs, ref shorts, position - 2);
            while (position <= lastStart && position - second >= lowest
                && RawBytes.Read32(ref origin, position - second) == RawBytes.Read32(ref origin, position))
            {
                length = 4 + RawBytes.CommonLength(ref origin, position + 4 - second, position + 4, end);
                Insert(ref origin, ref longs, ref shorts, position);
                (first, second) = (second, first);
                store.Add(source, anchor, position, first, length);
                position += length;
                anchor = position;
            }
        }
        store.AddLiterals(source, anchor, end - anchor);
    }

    private void Insert(ref byte origin, ref int longs, ref int shorts, int position)
    {
        var bytes = RawBytes.Read64(ref origin, position);
        Unsafe.Add(ref longs, HashLong(bytes)) = position + _base;
        Unsafe.Add(ref shorts, HashShort(bytes)) = position + _base;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint HashLong(ulong bytes) => (nint)((bytes * 0x9E3779B97F4A7C15) >> _longShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint HashShort(ulong bytes) => (nint)(((bytes << 24) * 0x9E3779B97F4A7C15) >> _shortShift);
}
