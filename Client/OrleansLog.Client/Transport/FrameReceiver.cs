using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace OrleansLog.Client.Transport;

/// <summary>
/// Cuts what arrives on a socket into frames. Small frames are read ahead together; the rest of a large one goes from
/// the kernel straight into the array that its owner gets. One reader.
/// </summary>
internal sealed class FrameReceiver(Socket socket, int frameBytesMax)
{
    private const int LengthPrefixBytes = 4;
    private const int ReadAheadBytes = 64 * 1024;

    private readonly byte[] _ahead = new byte[ReadAheadBytes];
    private int _start;
    private int _end;

    /// <summary>The next frame in a rented array, without its length prefix; null when the peer has closed the connection.</summary>
    public async ValueTask<ArraySegment<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (_end - _start < LengthPrefixBytes)
        {
            if (!await ReadAheadAsync(cancellationToken)) return null;
        }
        var length = BinaryPrimitives.ReadInt32BigEndian(_ahead.AsSpan(_start));
        if (length < sizeof(int) || length > frameBytesMax)
            throw new InvalidDataException($"it announced a frame of {length} bytes, where 4 to {frameBytesMax} are accepted");
        _start += LengthPrefixBytes;
        var frame = ArrayPool<byte>.Shared.Rent(length);
        var have = Math.Min(length, _end - _start);
        _ahead.AsSpan(_start, have).CopyTo(frame);
        _start += have;
        while (have < length)
        {
            var count = await socket.ReceiveAsync(frame.AsMemory(have, length - have), SocketFlags.None, cancellationToken);
            if (count == 0) return null;
            have += count;
        }
        return new ArraySegment<byte>(frame, 0, length);
    }

    private async ValueTask<bool> ReadAheadAsync(CancellationToken cancellationToken)
    {
        _ahead.AsSpan(_start, _end - _start).CopyTo(_ahead);
        (_start, _end) = (0, _end - _start);
        var count = await socket.ReceiveAsync(_ahead.AsMemory(_end), SocketFlags.None, cancellationToken);
        _end += count;
        return count > 0;
    }
}
