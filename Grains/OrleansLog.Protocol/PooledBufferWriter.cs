using System.Buffers;

namespace OrleansLog.Protocol;

/// <summary>
/// Collects bytes in one contiguous array of the shared pool, which grows as needed and is kept over
/// <see cref="Clear"/>. Whoever made it owns it and disposes of it; what its properties hand out is valid until the
/// next call. One caller at a time.
/// </summary>
public sealed class PooledBufferWriter : IBufferWriter<byte>, IDisposable
{
    private const int CapacityMin = 256;

    private byte[] _buffer = [];
    private int _length;

    public int WrittenCount => _length;

    /// <summary>What was written, open to change in place.</summary>
    public Memory<byte> WrittenMemory => _buffer.AsMemory(0, _length);

    /// <inheritdoc cref="WrittenMemory"/>
    public Span<byte> WrittenSpan => _buffer.AsSpan(0, _length);

    /// <summary>The bytes that can be held without taking another array.</summary>
    public int Capacity => _buffer.Length;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_buffer.Length - _length), nameof(count));
        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_length);
    }

    /// <summary>Forgets what was written. A larger array than <paramref name="keepBytesMax"/> goes back to the pool.</summary>
    public void Clear(int keepBytesMax = int.MaxValue)
    {
        _length = 0;
        if (_buffer.Length > keepBytesMax)
        {
            Replace([]);
        }
    }

    /// <summary>Gives the array back. A writer that is used again takes a new one.</summary>
    public void Dispose() => Clear(0);

    private void Reserve(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        var needed = (long)_length + Math.Max(sizeHint, 1);
        if (needed > _buffer.Length)
        {
            Grow(needed);
        }
    }

    private void Grow(long needed)
    {
        if (needed > Array.MaxLength)
        {
            throw new InvalidOperationException($"A buffer cannot grow to {needed} bytes: an array ends before that.");
        }
        var doubled = Math.Min(2L * _buffer.Length, Array.MaxLength);
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(needed, Math.Max(doubled, CapacityMin)));
        WrittenSpan.CopyTo(larger);
        Replace(larger);
    }

    private void Replace(byte[] buffer)
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        _buffer = buffer;
    }
}
