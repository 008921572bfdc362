using System.Buffers;
using System.Buffers.Binary;
using OrleansLog.Storage;

namespace OrleansLog.Kafka.Connections;

/// <summary>
/// One response on its way out: encoded bytes in pooled memory, and between them slices of segment files that are
/// never copied into it. Written by one handler, sent once, disposed by the connection.
/// </summary>
internal sealed class ResponseFrame : IBufferWriter<byte>, IDisposable
{
    private const int FirstBytes = 512;

    private readonly List<(int Position, LogSlice Slice)> _slices = [];
    private byte[] _array = ArrayPool<byte>.Shared.Rent(FirstBytes);
    private int _written = sizeof(int);

    /// <summary>Size on the wire, prefix included.</summary>
    public long Length { get; private set; } = sizeof(int);

    /// <summary>The encoded bytes, without the slices.</summary>
    public ReadOnlyMemory<byte> Encoded => _array.AsMemory(0, _written);

    /// <summary>The slices, each with the position in <see cref="Encoded"/> that it is to be sent before.</summary>
    public IReadOnlyList<(int Position, LogSlice Slice)> Slices => _slices;

    public void Advance(int count)
    {
        _written += count;
        Length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(Math.Max(sizeHint, 1));
        return _array.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Places a slice after what was written so far.</summary>
    public void Append(LogSlice slice)
    {
        _slices.Add((_written, slice));
        Length += slice.Length;
    }

    /// <summary>Ends the frame: fills in the size prefix.</summary>
    public ResponseFrame Complete()
    {
        BinaryPrimitives.WriteInt32BigEndian(_array, checked((int)(Length - sizeof(int))));
        return this;
    }

    /// <summary>A frame of bytes that were encoded elsewhere.</summary>
    public static ResponseFrame Of(ReadOnlySpan<byte> body)
    {
        var frame = new ResponseFrame();
        frame.Write(body);
        return frame.Complete();
    }

    /// <summary>Copies the whole frame without its size prefix, slices and all, to where there is just room for it.</summary>
    public void CopyTo(Span<byte> destination)
    {
        var from = sizeof(int);
        foreach (var (position, slice) in _slices)
        {
            destination = Copy(from, position, destination);
            slice.Read(destination[..slice.Length]);
            destination = destination[slice.Length..];
            from = position;
        }
        Copy(from, _written, destination);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        _slices.Clear();
    }

    private Span<byte> Copy(int from, int to, Span<byte> destination)
    {
        _array.AsSpan(from, to - from).CopyTo(destination);
        return destination[(to - from)..];
    }

    private void EnsureRoom(int count)
    {
        if (_array.Length - _written >= count)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_written + count, 2 * _array.Length));
        _array.AsSpan(0, _written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
