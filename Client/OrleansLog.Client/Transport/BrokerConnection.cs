using System.Buffers;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>
/// One connection to one broker. Requests are pipelined; the broker answers them in order. It is given up as a whole
/// when it breaks, when an answer cannot be what was asked for, or when one is overdue: everything that waits then
/// fails with <see cref="ErrorCode.NetworkException"/> or <see cref="ErrorCode.RequestTimedOut"/>.
/// </summary>
internal sealed class BrokerConnection : IDisposable
{
    private const int TimeoutCheckMs = 500;
    private const int KeepAliveSeconds = 10;
    private const int KeepAliveIntervalSeconds = 2;
    private const int KeepAliveProbesMax = 3;

    private readonly Socket _socket;
    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FrameSender _sender;
    private readonly Queue<PendingResponse> _pending = new();
    private readonly Action<BrokerConnection> _stalled;
    private readonly ITimer _timeoutTimer;
    private OrleansLogException? _closedBy;
    private int _lastCorrelationId;

    private BrokerConnection(Socket socket, string endpoint, Action<BrokerConnection> stalled, ClientOptions options, TimeProvider time, ILogger logger)
    {
        (_socket, Endpoint, _stalled, _options, _time, _logger) = (socket, endpoint, stalled, options, time, logger);
        _sender = new FrameSender(socket, e => Close(ErrorCode.NetworkException, e.Message, e));
        var period = TimeSpan.FromMilliseconds(TimeoutCheckMs);
        _timeoutTimer = time.CreateTimer(static state => ((BrokerConnection)state!).CheckTimeouts(), this, period, period);
    }

    public string Endpoint { get; }

    public bool IsOpen => Volatile.Read(ref _closedBy) is null;

    public VersionTable Versions { get; private set; } = VersionTable.ForHandshake;

    public static async Task<BrokerConnection> ConnectAsync(
        string host, int port, Action<BrokerConnection> stalled, ClientOptions options, TimeProvider time, ILogger logger)
    {
        var endpoint = $"{host}:{port}";
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        KeepAlive(socket);
        if (options.SocketReceiveBufferBytes > 0) socket.ReceiveBufferSize = options.SocketReceiveBufferBytes;
        if (options.SocketSendBufferBytes > 0) socket.SendBufferSize = options.SocketSendBufferBytes;
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.ConnectTimeoutMs), time);
        try
        {
            await socket.ConnectAsync(host, port, timeout.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            var reason = e is SocketException ? e.Message : $"no answer within {options.ConnectTimeoutMs} ms";
            throw new OrleansLogException(ErrorCode.NetworkException,
                $"Cannot connect to {endpoint}: {reason}. Check that a broker listens there and that it can be reached.", e);
        }
        var connection = new BrokerConnection(socket, endpoint, stalled, options, time, logger);
        _ = connection.ReceiveAllAsync();
        try
        {
            connection.Versions = await Handshake.NegotiateAsync(request => connection.SendAsync(request, default), endpoint);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // A host that lost its power says nothing, and one that is back knows nothing of a fetch that waits there.
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveIntervalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbesMax);
    }

    /// <summary>Sends a request; the task completes with its answer.</summary>
    public async ValueTask<ResponseFrame> SendAsync(OutgoingRequest request, CancellationToken cancellationToken)
    {
        var version = Versions.Pick(request, Endpoint);
        var response = Enqueue(request, version);
        if (!cancellationToken.CanBeCanceled) return await response.Task;
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((PendingResponse)state!).TryCancel(token), response);
        return await response.Task;
    }

    public void Dispose() => Close(ErrorCode.NetworkException, "the client closed it", null);

    private PendingResponse Enqueue(OutgoingRequest request, short version)
    {
        var correlationId = Interlocked.Increment(ref _lastCorrelationId);
        var nowMs = _time.MonotonicMs();
        var response = new PendingResponse(
            request, correlationId, version, nowMs + request.PatienceMs, nowMs + _options.RequestTimeoutMs + request.HoldMsMax);
        var frame = new FrameBuilder();
        var writer = new WireWriter(frame);
        new RequestHeader(request.Api, version, correlationId, _options.ClientId).Write(ref writer);
        writer.Flush();
        request.WriteBody(version, frame);
        _sender.Send(frame, response, AddPending);
        return response;
    }

    private void AddPending(PendingResponse response)
    {
        lock (_pending)
        {
            if (_closedBy is { } error) throw error;
            if (response.ExpectsResponse) _pending.Enqueue(response);
        }
    }

    private async Task ReceiveAllAsync()
    {
        var receiver = new FrameReceiver(_socket, _options.ResponseBytesMax);
        try
        {
            while (await receiver.ReceiveAsync(CancellationToken.None) is { } frame) Dispatch(frame);
            Close(ErrorCode.NetworkException, "the broker closed it", null);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidDataException or MalformedMessageException)
        {
            Close(ErrorCode.NetworkException, e.Message, e);
        }
    }

    private void Dispatch(ArraySegment<byte> frame)
    {
        PendingResponse? response;
        lock (_pending) _pending.TryDequeue(out response);
        if (response is null) throw new InvalidDataException("it answered what was never asked");
        var reader = new WireReader(frame);
        var header = ResponseHeader.Read(ref reader, response.Api, response.Version);
        if (header.CorrelationId != response.CorrelationId)
        {
            response.TryFail(Failure(ErrorCode.NetworkException, "answers came out of turn", null));
            throw new InvalidDataException($"it answered request {header.CorrelationId} where {response.CorrelationId} was next");
        }
        var start = reader.Position;
        response.TryComplete(new ResponseFrame(response.Version, frame.Array!, start, frame.Count - start));
    }

    private void CheckTimeouts()
    {
        var nowMs = _time.MonotonicMs();
        PendingResponse? oldest;
        lock (_pending) _pending.TryPeek(out oldest);
        if (oldest is null || oldest.SuspectMs > nowMs) return;
        if (oldest.DueMs > nowMs)
        {
            _stalled(this);
            return;
        }
        Close(ErrorCode.RequestTimedOut, $"a request was not answered within {_options.RequestTimeoutMs} ms", null);
    }

    private void Close(ErrorCode code, string reason, Exception? cause)
    {
        PendingResponse[] failed;
        lock (_pending)
        {
            if (_closedBy is not null) return;
            _closedBy = Failure(code, reason, cause);
            failed = [.. _pending];
            _pending.Clear();
        }
        _timeoutTimer.Dispose();
        _socket.Dispose();
        if (failed.Length > 0 && cause is not null) _logger.LogWarning("{Reason} {Count} requests failed.", _closedBy.Message, failed.Length);
        foreach (var response in failed) response.TryFail(Failure(code, reason, cause));
    }

    private OrleansLogException Failure(ErrorCode code, string reason, Exception? cause) =>
        new(code, $"The connection to {Endpoint} ended: {reason.TrimEnd('.')}.", cause);

}
