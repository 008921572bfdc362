using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OrleansLog.Compression.Buffers;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Reads a bit stream from its end towards its start, as FSE and Huffman streams of zstd are read (RFC 8878, section
/// 4.1). Between two calls of <see cref="Refill"/> at most <see cref="BitsPerRefill"/> bits may be read; reading past
/// the start yields bits of no meaning, which the next refill, or <see cref="IsExactlyRead"/>, gives away.
/// </summary>
internal ref struct BackwardBitReader
{
    public const int BitsPerRefill = 57;

    private readonly ref byte _start;
    private readonly int _position;
    private ulong _bits;
    private int _remaining;

    /// <param name="source">The whole input; the stream has at least 8 bytes (of headers) before it.</param>
    /// <param name="start">The stream's first byte.</param>
    /// <param name="end">The position after its last byte, which holds the end mark: its highest set bit.</param>
    public BackwardBitReader(ReadOnlySpan<byte> source, int start, int end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(start, sizeof(ulong));
        if (end <= start) Corrupt.ThrowTruncated(start);
        var last = source[end - 1];
        if (last == 0) Corrupt.Throw("A zstd bit stream has no end mark", end - 1);
        _start = ref Unsafe.Add(ref MemoryMarshal.GetReference(source), start);
        _position = start;
        _remaining = (end - start - 1) * 8 + BitOperations.Log2(last);
    }

    /// <summary>Bits not yet read; negative after reading past the start.</summary>
    public readonly int Remaining => _remaining;

    public readonly bool IsExactlyRead => _remaining == 0;

    /// <summary>Makes the next <see cref="BitsPerRefill"/> bits readable.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Refill()
    {
        if (_remaining < 0) ThrowOverread();
        // The last 8 bytes that still hold unread bits; they begin at worst 8 bytes before the stream.
        var end = (_remaining + 7) >> 3;
        _bits = RawBytes.Read64(ref _start, end - sizeof(ulong)) << (end * 8 - _remaining);
    }

    /// <summary>The next bits, at most 56, without moving on; <paramref name="count"/> may be 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ulong Peek(int count) => (_bits >> 1) >> (63 - count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Skip(int count)
    {
        _bits <<= count;
        _remaining -= count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Read(int count)
    {
        var value = (uint)Peek(count);
        Skip(count);
        return value;
    }

    private readonly void ThrowOverread() => Corrupt.Throw("A zstd bit stream ends too early", _position);
}
