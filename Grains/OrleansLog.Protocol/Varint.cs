using System.Numerics;

namespace OrleansLog.Protocol;

/// <summary>
/// Variable-length integers: seven bits a byte, the lowest first, the high bit set on all bytes but the last. Signed
/// numbers are zig-zag coded before, so that small negative ones stay short
/// (https://protobuf.dev/programming-guides/encoding/#varints). Records use the signed forms, flexible messages and
/// their tags (KIP-482) the unsigned ones.
/// </summary>
public static class Varint
{
    /// <summary>The most bytes that a 32-bit number takes.</summary>
    public const int MaxBytes32 = 5;

    /// <summary>The most bytes that a 64-bit number takes.</summary>
    public const int MaxBytes64 = 10;

    /// <summary>Bytes that <paramref name="value"/> takes: 1 to 5.</summary>
    public static int SizeOfUnsigned(uint value) => (BitOperations.Log2(value | 1) * 9 + 73) / 64;

    /// <summary>Bytes that <paramref name="value"/> takes: 1 to 10.</summary>
    public static int SizeOfUnsigned(ulong value) => (BitOperations.Log2(value | 1) * 9 + 73) / 64;

    /// <summary>Bytes that the zig-zag code of <paramref name="value"/> takes: 1 to 5.</summary>
    public static int SizeOf(int value) => SizeOfUnsigned(ZigZag(value));

    /// <summary>Bytes that the zig-zag code of <paramref name="value"/> takes: 1 to 10.</summary>
    public static int SizeOf(long value) => SizeOfUnsigned(ZigZag(value));

    /// <summary>Maps 0, -1, 1, -2, ... to 0, 1, 2, 3, ...</summary>
    public static uint ZigZag(int value) => (uint)((value << 1) ^ (value >> 31));

    /// <inheritdoc cref="ZigZag(int)"/>
    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    /// <summary>The reverse of <see cref="ZigZag(int)"/>.</summary>
    public static int UnZigZag(uint value) => (int)(value >> 1) ^ -(int)(value & 1);

    /// <summary>The reverse of <see cref="ZigZag(long)"/>.</summary>
    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    /// <summary>Writes the zig-zag code of <paramref name="value"/>.</summary>
    /// <returns>The number of bytes written.</returns>
    public static int Write(Span<byte> destination, int value) => WriteUnsigned(destination, ZigZag(value));

    /// <inheritdoc cref="Write(Span{byte}, int)"/>
    public static int Write(Span<byte> destination, long value) => WriteUnsigned(destination, ZigZag(value));

    /// <summary>Writes <paramref name="value"/> as it is.</summary>
    /// <returns>The number of bytes written.</returns>
    public static int WriteUnsigned(Span<byte> destination, ulong value)
    {
        var length = 0;
        while (value >= 0x80)
        {
            destination[length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        destination[length] = (byte)value;
        return length + 1;
    }

    /// <summary>Reads a zig-zag coded number from the start of <paramref name="source"/>.</summary>
    /// <returns>The number of bytes read, or 0 if they end too early or hold more than 32 bits.</returns>
    public static int TryRead(ReadOnlySpan<byte> source, out int value)
    {
        var length = TryReadUnsigned(source, out uint coded);
        value = UnZigZag(coded);
        return length;
    }

    /// <summary>Reads a zig-zag coded number from the start of <paramref name="source"/>.</summary>
    /// <returns>The number of bytes read, or 0 if they end too early or hold more than 64 bits.</returns>
    public static int TryRead(ReadOnlySpan<byte> source, out long value)
    {
        var length = TryReadUnsigned(source, out ulong coded);
        value = UnZigZag(coded);
        return length;
    }

    /// <summary>Reads a number from the start of <paramref name="source"/>.</summary>
    /// <returns>The number of bytes read, or 0 if they end too early or hold more than 32 bits.</returns>
    public static int TryReadUnsigned(ReadOnlySpan<byte> source, out uint value)
    {
        var length = TryReadUnsigned(source, out ulong wide);
        value = (uint)wide;
        return wide <= uint.MaxValue && length <= MaxBytes32 ? length : 0;
    }

    /// <summary>Reads a number from the start of <paramref name="source"/>.</summary>
    /// <returns>The number of bytes read, or 0 if they end too early or hold more than 64 bits.</returns>
    public static int TryReadUnsigned(ReadOnlySpan<byte> source, out ulong value)
    {
        value = 0;
        for (var i = 0; i < source.Length && i < MaxBytes64; i++)
        {
            var digits = source[i];
            value |= (ulong)(digits & 0x7f) << (7 * i);
            if (digits < 0x80)
            {
                return i == MaxBytes64 - 1 && digits > 1 ? 0 : i + 1;
            }
        }
        return 0;
    }
}
