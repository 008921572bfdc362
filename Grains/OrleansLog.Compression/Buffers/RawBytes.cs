using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OrleansLog.Compression.Buffers;

/// <summary>
/// Unchecked reads and copies for the inner loops (bounds checks cost a third of their speed). Each method says which
/// bytes it touches; the caller proves that they lie inside its buffer.
/// </summary>
internal static class RawBytes
{
    private const int Step = 16;

    /// <summary>Reads 4 bytes at <paramref name="position"/>, little-endian.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read32(ref byte origin, int position)
    {
        var value = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref origin, position));
        return BitConverter.IsLittleEndian ? value : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>Reads 8 bytes at <paramref name="position"/>, little-endian.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read64(ref byte origin, int position)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref origin, position));
        return BitConverter.IsLittleEndian ? value : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>How many bytes at <paramref name="first"/> and <paramref name="second"/> are equal; reads below <paramref name="end"/>, and first &lt; second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CommonLength(ref byte origin, int first, int second, int end)
    {
        var start = second;
        while (second <= end - sizeof(ulong))
        {
            var difference = Read64(ref origin, first) ^ Read64(ref origin, second);
            if (difference != 0) return second - start + (BitOperations.TrailingZeroCount(difference) >> 3);
            first += sizeof(ulong);
            second += sizeof(ulong);
        }
        while (second < end && Unsafe.Add(ref origin, first) == Unsafe.Add(ref origin, second))
        {
            first++;
            second++;
        }
        return second - start;
    }

    /// <summary>Copies 16 bytes; source and destination may not overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy16(ref byte source, ref byte destination) =>
        Vector128.LoadUnsafe(ref source).StoreUnsafe(ref destination);

    /// <summary>Copies <paramref name="length"/> bytes in steps of 16: reads and writes up to 15 bytes past them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopySteps(ref byte source, ref byte destination, int length)
    {
        Copy16(ref source, ref destination);
        for (var done = Step; done < length; done += Step)
            Copy16(ref Unsafe.Add(ref source, done), ref Unsafe.Add(ref destination, done));
    }

    /// <summary>
    /// Copies <paramref name="length"/> bytes from <paramref name="offset"/> bytes before <paramref name="position"/>,
    /// repeating what it writes when they overlap. 1 ≤ offset ≤ position; writes up to 15 bytes past the copy.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyMatch(ref byte origin, int position, int offset, int length)
    {
        ref var destination = ref Unsafe.Add(ref origin, position);
        if (offset >= Step) CopySteps(ref Unsafe.Subtract(ref destination, offset), ref destination, length);
        else CopyPattern(ref destination, offset, length);
    }

    private static void CopyPattern(ref byte destination, int offset, int length)
    {
        if (offset == 1)
        {
            MemoryMarshal.CreateSpan(ref destination, length).Fill(Unsafe.Subtract(ref destination, 1));
            return;
        }
        // After enough single bytes the same pattern also lies a multiple of the offset, at least 16 bytes, back.
        var period = (Step + offset - 1) / offset * offset;
        var single = Math.Min(length, period - offset);
        for (var i = 0; i < single; i++) Unsafe.Add(ref destination, i) = Unsafe.Add(ref destination, i - offset);
        if (length <= single) return;
        ref var rest = ref Unsafe.Add(ref destination, single);
        CopySteps(ref Unsafe.Subtract(ref rest, period), ref rest, length - single);
    }
}
