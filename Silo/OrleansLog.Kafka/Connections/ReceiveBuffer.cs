using System.Buffers;
using System.Buffers.Binary;

namespace OrleansLog.Kafka.Connections;

/// <summary>
/// What a connection has received and not yet handled. Frames are handed out in place, without a copy; the array comes
/// from the shared pool, grows only as bytes arrive (so that an announced size alone costs nothing) and goes back
/// while the connection is quiet. Used by one reader at a time.
/// </summary>
internal sealed class ReceiveBuffer(int frameBytesMax) : IDisposable
{
    private const int SmallBytes = 64 * 1024;
    private const int KeptBytesMax = 4 * 1024 * 1024;

    private byte[] _array = [];
    private int _start;
    private int _end;
    private int _usualFrameBytes = SmallBytes;

    public bool IsEmpty => _start == _end;

    /// <summary>Whether more memory is held than an idle connection should keep.</summary>
    public bool IsLarge => _array.Length > SmallBytes;

    /// <summary>
    /// Takes the next whole frame, without its size prefix. It stays valid until <see cref="FreeSpace"/>.
    /// </summary>
    /// <exception cref="InvalidFrameException">The announced size is negative or over the limit.</exception>
    public bool TryTakeFrame(out Memory<byte> frame)
    {
        frame = default;
        if (_end - _start < sizeof(int))
            return false;
        var size = AnnouncedSize();
        if (_end - _start - sizeof(int) < size)
            return false;
        frame = _array.AsMemory(_start + sizeof(int), size);
        _start += sizeof(int) + size;
        _usualFrameBytes = Math.Clamp(size + sizeof(int), SmallBytes, KeptBytesMax);
        return true;
    }

    /// <summary>Room to receive into: at least what it takes to go on with the frame that has begun.</summary>
    public Memory<byte> FreeSpace()
    {
        if (IsEmpty)
            _start = _end = 0;
        if (_array.Length == 0)
            _array = ArrayPool<byte>.Shared.Rent(_usualFrameBytes);
        else if (IsEmpty && _array.Length > 2 * KeptBytesMax)
            Replace(_usualFrameBytes);
        else if (_end == _array.Length)
            MakeRoom();
        return _array.AsMemory(_end);
    }

    public void Received(int count) => _end += count;

    /// <summary>Gives the memory back to the pool. Only while <see cref="IsEmpty"/>.</summary>
    public void Release()
    {
        if (_array.Length > 0)
            ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        _start = _end = 0;
    }

    public void Dispose() => Release();

    private int AnnouncedSize()
    {
        var size = BinaryPrimitives.ReadInt32BigEndian(_array.AsSpan(_start));
        if (size < 0 || size > frameBytesMax)
            throw new InvalidFrameException(
                $"The peer announced a request of {size} bytes; 0 to {frameBytesMax} are accepted (socket.request.max.bytes). " +
                "Either it does not speak the Kafka protocol, or the limit must be raised.");
        return size;
    }

    private void MakeRoom()
    {
        var held = _end - _start;
        var wanted = held < sizeof(int) ? SmallBytes : AnnouncedSize() + sizeof(int);
        if (wanted <= _array.Length && _start > 0)
            Compact();
        else
            Replace(Math.Min(Math.Max(wanted, SmallBytes), 2 * _array.Length));
    }

    private void Compact()
    {
        _array.AsSpan(_start.._end).CopyTo(_array);
        _end -= _start;
        _start = 0;
    }

    private void Replace(int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(length);
        _array.AsSpan(_start.._end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
        _end -= _start;
        _start = 0;
    }
}

/// <summary>What a peer sent cannot be a request: its connection is closed, the message says why.</summary>
public sealed class InvalidFrameException(string message) : Exception(message);
