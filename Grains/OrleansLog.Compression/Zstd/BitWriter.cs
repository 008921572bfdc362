using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Writes bits from the lowest of the first byte on: what a <see cref="BackwardBitReader"/> reads from the other end.
/// Between two calls of <see cref="Flush"/> at most 56 bits may be added.
/// </summary>
internal ref struct BitWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;
    private ulong _bits = 0;
    private int _count = 0;
    private int _position = 0;
    private bool _isFull = false;

    /// <summary>Adds the lowest <paramref name="count"/> bits of <paramref name="value"/>, whose higher bits are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong value, int count)
    {
        _bits |= value << _count;
        _count += count;
    }

    /// <summary>Writes the whole bytes out; remembers if there was no room for them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Flush()
    {
        if (!BinaryPrimitives.TryWriteUInt64LittleEndian(_destination[_position..], _bits)) _isFull = true;
        else _position += _count >> 3;
        _bits >>= _count & ~7;
        _count &= 7;
    }

    /// <summary>
    /// Adds the mark by which a backward reader finds the last bit, and returns the size, or -1 if there was not room
    /// for it and 8 bytes more.
    /// </summary>
    public int Close()
    {
        Add(1, 1);
        Flush();
        return _isFull ? -1 : _position + (_count > 0 ? 1 : 0);
    }

    /// <summary>Like <see cref="Close"/> without the mark.</summary>
    public int CloseUnmarked()
    {
        Flush();
        return _isFull ? -1 : _position + (_count > 0 ? 1 : 0);
    }
}
