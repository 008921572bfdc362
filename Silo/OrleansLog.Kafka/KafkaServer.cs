using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using OrleansLog.Broker;
using OrleansLog.Kafka.Connections;
using OrleansLog.Kafka.Requests;

namespace OrleansLog.Kafka;

/// <summary>
/// The Kafka endpoint of one broker: accepts connections on plain sockets and serves each until it ends. Sockets rather
/// than a web server's connection handlers, because large pooled receive buffers took two to four times the bytes.
/// </summary>
public sealed class KafkaServer : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(2);

    private readonly Socket _listener;
    private readonly ApiDispatcher _dispatcher;
    private readonly ConnectionLimits _limits;
    private readonly int _connectionsMax;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PauseGate _gate;
    private readonly ConcurrentDictionary<Connection, bool> _connections = new();
    private readonly ITimer _idleSweep;
    private Task _accepting = Task.CompletedTask;

    private KafkaServer(Socket listener, Broker.Broker broker, IRequestForwarder? forwarder, TimeProvider time, ILogger logger)
    {
        var config = broker.Config;
        _listener = listener;
        _dispatcher = ApiDispatcher.For(broker, forwarder);
        _connectionsMax = config.ConnectionsMax;
        _limits = new ConnectionLimits(config.RequestBytesMax, config.RequestsInFlightMax, config.ConnectionIdleMax);
        _time = time;
        _logger = logger;
        _gate = broker.Gate;
        _idleSweep = time.CreateTimer(_ => CloseIdle(), null, _limits.Idle / 4, _limits.Idle / 4);
    }

    /// <summary>Where it listens; the port that was chosen where 0 was asked for.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>Claims the address, so that a port in use is known before anything else starts.</summary>
    /// <exception cref="SocketException">The address is in use or not this machine's.</exception>
    public static Socket Bind(IPEndPoint endPoint)
    {
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(endPoint);
            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    /// <summary>Starts to serve <paramref name="broker"/> on a socket from <see cref="Bind"/>, which it owns from here on.</summary>
    public static KafkaServer Start(
        Socket listener, Broker.Broker broker, TimeProvider time, ILogger<KafkaServer> logger, IRequestForwarder? forwarder = null)
    {
        var server = new KafkaServer(listener, broker, forwarder, time, logger);
        listener.Listen(Backlog);
        server._accepting = server.AcceptAsync();
        return server;
    }

    /// <summary>Stops to accept, closes every connection and waits for the requests that were being handled.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _idleSweep.DisposeAsync();
        await _accepting;
        foreach (var connection in _connections.Keys)
            connection.Close();
        await Task.WhenAny(Task.WhenAll(_connections.Keys.Select(connection => connection.Completion)), Task.Delay(StopTimeMax, _time));
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var socket = await _listener.AcceptAsync();
                if (_connections.Count < _connectionsMax)
                    Serve(socket);
                else
                    Refuse(socket);
            }
            catch (Exception closed) when (closed is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException failed)
            {
                // For instance: no file handles left. The next client may have more luck.
                _logger.LogWarning("A connection could not be accepted: {Reason}", failed.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time);
            }
        }
    }

    private void Serve(Socket socket)
    {
        socket.NoDelay = true;
        var connection = new Connection(socket, _dispatcher, _limits, _gate, _time, _logger);
        _connections.TryAdd(connection, true);
        _ = Task.Run(() => ServeAsync(connection));
    }

    private async Task ServeAsync(Connection connection)
    {
        KafkaMetrics.Opened();
        using (connection)
            await connection.RunAsync();
        KafkaMetrics.Closed();
        _connections.TryRemove(connection, out _);
    }

    private void Refuse(Socket socket)
    {
        _logger.LogWarning(
            "Refusing a connection from {Peer}: {Count} are open, the most allowed (max.connections)",
            socket.RemoteEndPoint, _connectionsMax);
        socket.Dispose();
    }

    private void CloseIdle()
    {
        foreach (var connection in _connections.Keys)
        {
            if (connection.Idle > _limits.Idle)
                connection.Close();
        }
    }
}
