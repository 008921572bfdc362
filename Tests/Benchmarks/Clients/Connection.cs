using System.Net;
using System.Net.Sockets;

namespace OrleansLog.Benchmarks.Clients;

/// <summary>
/// A blocking TCP connection with one receive buffer. Spans handed out are valid until the next call that receives.
/// Used by one thread, but <see cref="Dispose"/> may be called by another to end a blocked read.
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer;
    private int _start;
    private int _end;

    public Connection(IPEndPoint endPoint, int bufferBytes = 1 << 20)
    {
        _buffer = new byte[bufferBytes];
        _socket.ReceiveBufferSize = 4 << 20;
        _socket.Connect(endPoint);
    }

    public long BytesReceived { get; private set; }

    /// <summary>What has been received and not yet consumed.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_start, _end - _start);

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }
    }

    /// <summary>Marks the first <paramref name="count"/> bytes of <see cref="Unread"/> as done with.</summary>
    public void Consume(int count) => _start += count;

    /// <summary>Blocks until at least <paramref name="count"/> bytes are unread.</summary>
    public ReadOnlySpan<byte> Need(int count)
    {
        while (_end - _start < count)
        {
            Receive(count);
        }

        return Unread;
    }

    /// <summary>Blocks until more bytes than before are unread.</summary>
    public void ReceiveMore() => Receive(_end - _start + 1);

    private void Receive(int wanted)
    {
        MakeRoom(wanted);
        var read = _socket.Receive(_buffer.AsSpan(_end));
        if (read == 0)
        {
            throw new BrokerException("the broker closed the connection");
        }

        _end += read;
        BytesReceived += read;
    }

    private void MakeRoom(int wanted)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }

        if (_buffer.Length - _start >= wanted && _end < _buffer.Length)
        {
            return;
        }

        var target = wanted <= _buffer.Length ? _buffer : new byte[Math.Max(wanted, 2 * _buffer.Length)];
        _buffer.AsSpan(_start, _end - _start).CopyTo(target);
        (_buffer, _end, _start) = (target, _end - _start, 0);
    }

    public void Dispose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The broker was faster.
        }

        _socket.Dispose();
    }
}
