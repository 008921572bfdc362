using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace OrleansLog.Client.Orleans.Connections;

/// <summary>
/// A connection that moves large blocks: Orleans' own receives four kilobytes at a time, and record batches are much longer.
/// What arrives is read when it is asked for, so nothing piles up here, and a connection that is quiet holds no block.
/// </summary>
internal sealed class SocketConnection : IDuplexPipe, IAsyncDisposable
{
    private const int ReceiveBlockBytes = 256 * 1024;
    private const int ReceiveRoomBytesMin = 64 * 1024;
    private const int SendBlockBytes = 64 * 1024;
    private const int KeepAliveSeconds = 60;
    private const int KeepAliveIntervalSeconds = 10;

    private readonly NetworkStream _stream;

    private SocketConnection(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        Input = PipeReader.Create(_stream, new StreamPipeReaderOptions(
            bufferSize: ReceiveBlockBytes, minimumReadSize: ReceiveRoomBytesMin, leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(_stream, new StreamPipeWriterOptions(minimumBufferSize: SendBlockBytes, leaveOpen: true));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Makes a connected socket one of Orleans' connections, which owns it from now on.</summary>
    public static ConnectionContext Carry(Socket socket)
    {
        socket.NoDelay = true;
        // A machine that lost its power says no goodbye.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        return new Context(new SocketConnection(socket), socket);
    }

    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync();
        await Output.CompleteAsync();
        await _stream.DisposeAsync();
    }

    private sealed class Context : DefaultConnectionContext
    {
        private readonly SocketConnection _connection;
        private readonly CancellationTokenSource _closed = new();

        public Context(SocketConnection connection, Socket socket) : base(Guid.NewGuid().ToString("n"))
        {
            _connection = connection;
            Transport = connection;
            ConnectionClosed = _closed.Token;
            (LocalEndPoint, RemoteEndPoint) = (socket.LocalEndPoint as IPEndPoint, socket.RemoteEndPoint as IPEndPoint);
        }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            _connection._stream.Close();
            _ = _closed.CancelAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await _connection.DisposeAsync();
            await _closed.CancelAsync();
            await base.DisposeAsync();
        }
    }
}
