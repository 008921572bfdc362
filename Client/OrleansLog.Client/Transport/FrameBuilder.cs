using System.Buffers;
using System.Buffers.Binary;

namespace OrleansLog.Client.Transport;

/// <summary>
/// Puts a request frame together: small fields are copied into a pooled buffer, large byte strings are only referred
/// to, so that a batch goes from the accumulator to the socket without a copy. One owner at a time; dispose to return
/// the buffer. Memory that was appended by reference must stay unchanged until then.
/// </summary>
public sealed class FrameBuilder : IBufferWriter<byte>, IDisposable
{
    private const int LengthPrefixBytes = 4;
    private const int CopyBytesMax = 4096;

    private readonly List<(int At, ReadOnlyMemory<byte> Memory)> _references = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(512);
    private int _written = LengthPrefixBytes;
    private int _referencedBytes;

    /// <summary>The whole frame in bytes, its length prefix included.</summary>
    public int Length => _written + _referencedBytes;

    public void Advance(int count) => _written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 16));
        return _buffer.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 16));
        return _buffer.AsSpan(_written);
    }

    /// <summary>Appends bytes, by reference if they are many.</summary>
    public void Append(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length <= CopyBytesMax)
        {
            this.Write(bytes.Span);
            return;
        }
        _references.Add((_written, bytes));
        _referencedBytes += bytes.Length;
    }

    /// <summary>Writes the length prefix and lists the frame's pieces in order.</summary>
    internal void Complete(List<ArraySegment<byte>> pieces)
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer, Length - LengthPrefixBytes);
        var from = 0;
        foreach (var (at, memory) in _references)
        {
            if (at > from) pieces.Add(new ArraySegment<byte>(_buffer, from, at - from));
            pieces.Add(AsSegment(memory));
            from = at;
        }
        if (_written > from) pieces.Add(new ArraySegment<byte>(_buffer, from, _written - from));
    }

    /// <summary>The body as one array, without the length prefix; for transports that do not write to a socket, and tests.</summary>
    public byte[] ToArray()
    {
        var all = GC.AllocateUninitializedArray<byte>(Length - LengthPrefixBytes);
        var (from, at) = (LengthPrefixBytes, 0);
        foreach (var (position, memory) in _references)
        {
            at = Copy(_buffer.AsSpan(from, position - from), all, at);
            at = Copy(memory.Span, all, at);
            from = position;
        }
        Copy(_buffer.AsSpan(from, _written - from), all, at);
        return all;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private static int Copy(ReadOnlySpan<byte> source, byte[] destination, int at)
    {
        source.CopyTo(destination.AsSpan(at));
        return at + source.Length;
    }

    private static ArraySegment<byte> AsSegment(ReadOnlyMemory<byte> memory) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(memory, out var segment) ? segment : memory.ToArray();

    private void Reserve(int count)
    {
        if (_buffer.Length - _written >= count) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _written + count));
        _buffer.AsSpan(0, _written).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
