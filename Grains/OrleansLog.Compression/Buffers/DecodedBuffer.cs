using System.Buffers;
using System.Runtime.InteropServices;

namespace OrleansLog.Compression.Buffers;

/// <summary>
/// The output of one decompression while it grows: contiguous, so that matches reach back in place, bounded by
/// the caller's limit, and followed by <see cref="Slack"/> bytes that copies in steps may overwrite.
/// Grows with what is produced, never with what a header claims. Dispose returns the pooled memory.
/// </summary>
internal ref struct DecodedBuffer
{
    /// <summary>Bytes after any reserved range that may be written with rubbish.</summary>
    public const int Slack = 64;

    /// <summary>A first guess at how much larger than the input the output is.</summary>
    private const int ExpansionExpected = 4;

    private readonly int _maxSize;
    private byte[] _array;

    /// <param name="maxSize">The most that may be decoded, in bytes; what no array can hold is less.</param>
    /// <param name="sourceSize">The size of the input, in bytes.</param>
    public DecodedBuffer(int maxSize, int sourceSize)
    {
        _maxSize = Math.Min(maxSize, Array.MaxLength - Slack);
        _array = ArrayPool<byte>.Shared.Rent((int)Math.Clamp((long)ExpansionExpected * sourceSize, 0, Math.Max(_maxSize, 0)) + Slack);
    }

    /// <summary>Bytes decoded so far.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that may still be decoded.</summary>
    public readonly int Remaining => _maxSize - Length;

    public readonly ReadOnlySpan<byte> Written => _array.AsSpan(0, Length);

    /// <summary>The first byte; valid until the next <see cref="Reserve"/>.</summary>
    public readonly ref byte Origin => ref MemoryMarshal.GetArrayDataReference(_array);

    /// <summary>
    /// Makes room for <paramref name="count"/> more bytes, or for <see cref="Remaining"/> if that is less, and returns
    /// the position that decoding must not pass.
    /// </summary>
    public int Reserve(int count)
    {
        var limit = Length + Math.Min(count, Remaining);
        if (limit + Slack > _array.Length) Grow(limit);
        return limit;
    }

    /// <summary>Room for exactly <paramref name="count"/> bytes, counted as decoded.</summary>
    /// <param name="count">If this passes <see cref="Remaining"/>, the input is refused.</param>
    /// <param name="inputPosition">Where the input asks for them, for the message.</param>
    public Span<byte> Append(int count, int inputPosition)
    {
        if (count > Remaining) Corrupt.ThrowTooLarge(inputPosition);
        Reserve(count);
        var span = _array.AsSpan(Length, count);
        Length += count;
        return span;
    }

    /// <summary>The <paramref name="count"/> bytes after the decoded ones, at most one more than <see cref="Remaining"/>.</summary>
    public Span<byte> Tail(int count)
    {
        Reserve(count);
        return _array.AsSpan(Length, count);
    }

    /// <summary>Records that decoding reached <paramref name="position"/>, which a limit from <see cref="Reserve"/> covers.</summary>
    public void AdvanceTo(int position) => Length = position;

    public readonly void CopyTo(IBufferWriter<byte> destination)
    {
        if (Length > 0) destination.Write(Written);
    }

    public void Dispose()
    {
        var array = _array;
        _array = [];
        if (array.Length > 0) ArrayPool<byte>.Shared.Return(array);
    }

    private void Grow(int limit)
    {
        var size = (int)Math.Max(limit, Math.Min(2L * _array.Length, _maxSize)) + Slack;
        var larger = ArrayPool<byte>.Shared.Rent(size);
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
