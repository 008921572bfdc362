using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka.Connections;

/// <summary>
/// One client's connection. A single reader takes frames and hands them to the dispatcher, which does the part of a
/// request that must keep the order (appending, above all) before it returns; answers go out in request order.
/// </summary>
internal sealed class Connection : IDisposable
{
    private readonly Socket _socket;
    private readonly ApiDispatcher _dispatcher;
    private readonly ILogger _logger;
    private readonly PauseGate _gate;
    private readonly ReceiveBuffer _received;
    private readonly ResponseQueue _responses;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private long _lastActivity;

    public Connection(Socket socket, ApiDispatcher dispatcher, ConnectionLimits limits, PauseGate gate, TimeProvider time, ILogger logger)
    {
        _socket = socket;
        _dispatcher = dispatcher;
        _logger = logger;
        _gate = gate;
        _time = time;
        _received = new ReceiveBuffer(limits.RequestBytesMax);
        _responses = new ResponseQueue(limits.RequestsInFlightMax, new FrameSender(socket).SendAsync, Fail);
        Peer = (socket.RemoteEndPoint as IPEndPoint)!;
        _lastActivity = time.GetTimestamp();
    }

    public IPEndPoint Peer { get; }

    /// <summary>How long the peer has sent nothing.</summary>
    public TimeSpan Idle => _time.GetElapsedTime(Volatile.Read(ref _lastActivity));

    /// <summary>Completes when <see cref="RunAsync"/> has ended.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Serves the peer until it or <see cref="Close"/> ends the connection. Does not throw.</summary>
    public async Task RunAsync()
    {
        try
        {
            var client = new ClientContext(Peer.Address, _closed.Token);
            while (await ReceiveAsync())
                await HandleFramesAsync(client);
        }
        catch (Exception cause)
        {
            Fail(cause);
        }
        finally
        {
            Close();
            _completion.SetResult();
        }
    }

    /// <summary>Ends the connection; requests that wait are cancelled. May be called from any thread, repeatedly.</summary>
    public void Close()
    {
        try
        {
            _closed.Cancel();
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It was closed already, by the peer or by us.
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _received.Dispose();
        _closed.Dispose();
    }

    private async ValueTask<bool> ReceiveAsync()
    {
        if (_received.IsEmpty && _received.IsLarge && _socket.Available == 0)
        {
            // A connection that waits holds no large buffer: ten thousand quiet clients must cost little.
            _received.Release();
            await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
        }
        var count = await _socket.ReceiveAsync(_received.FreeSpace(), SocketFlags.None);
        _received.Received(count);
        KafkaMetrics.Received(count);
        Volatile.Write(ref _lastActivity, _time.GetTimestamp());
        return count > 0;
    }

    private async ValueTask HandleFramesAsync(ClientContext client)
    {
        while (_received.TryTakeFrame(out var frame))
        {
            if (_gate.IsPaused)
                await _gate.PassAsync(_closed.Token);
            var room = _responses.EnqueueAsync(_dispatcher.DispatchAsync(frame, client));
            if (!room.IsCompleted)
                await room;
        }
    }

    private void Fail(Exception cause)
    {
        if (cause is InvalidFrameException or MalformedMessageException)
            _logger.LogWarning("Closing the connection from {Peer}: {Reason}", Peer, cause.Message);
        else if (cause is not (SocketException or OperationCanceledException or ObjectDisposedException))
            _logger.LogError(cause, "Closing the connection from {Peer} after an unexpected failure", Peer);
        Close();
    }
}

/// <summary>What one connection may use.</summary>
/// <param name="RequestBytesMax">The largest request, in bytes (<c>socket.request.max.bytes</c>).</param>
/// <param name="RequestsInFlightMax">Requests accepted and not yet answered; beyond that nothing more is read.</param>
/// <param name="Idle">A connection that sends nothing for so long is closed (<c>connections.max.idle.ms</c>).</param>
internal sealed record ConnectionLimits(int RequestBytesMax, int RequestsInFlightMax, TimeSpan Idle);
