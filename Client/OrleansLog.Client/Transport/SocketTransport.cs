using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client.Transport;

/// <summary>
/// The Kafka protocol over TCP: one connection per broker and lane, opened when first needed and again after it broke.
/// </summary>
internal sealed class SocketTransport : IClusterTransport
{
    private const int LeaveAgainAfterMs = 10_000;

    private readonly ClientOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ImmutableArray<BrokerNode> _bootstrap;
    private readonly Dictionary<(BrokerId Broker, Lane Lane), Opening<BrokerConnection>> _connections = [];
    private ImmutableDictionary<BrokerId, BrokerNode> _brokers = ImmutableDictionary<BrokerId, BrokerNode>.Empty;
    private string? _stalledEndpoint;
    private long _leftAtMs = -LeaveAgainAfterMs;
    private bool _isDisposed;

    public SocketTransport(ClientOptions options, TimeProvider time, ILogger logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        _bootstrap = BootstrapList.Parse(options.BootstrapServers);
    }

    public event Action? Stalled;

    public ValueTask<ResponseFrame> SendAsync(
        BrokerId broker, Lane lane, OutgoingRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var entering = FindConnection(broker, lane).EnterAsync(cancellationToken);
        return entering.IsCompletedSuccessfully
            ? entering.Result.SendAsync(request, cancellationToken)
            : SendWhenConnectedAsync(entering, request, cancellationToken);
    }

    public async ValueTask<(short Min, short Max)?> FindVersionsAsync(
        BrokerId broker, Lane lane, ApiKey api, CancellationToken cancellationToken)
    {
        var connection = await FindConnection(broker, lane).Task.WaitAsync(cancellationToken);
        return Apis.Find(api) is { } range ? connection.Versions.Common(api, range.Min, range.Max) : null;
    }

    public void LearnBrokers(IReadOnlyList<BrokerNode> brokers)
    {
        var known = brokers.ToImmutableDictionary(broker => broker.Id);
        Volatile.Write(ref _brokers, known);
        // What is owed by a broker that the cluster has given up is not going to come.
        Close(key => key.Broker != BrokerId.None && !known.ContainsKey(key.Broker));
    }

    public void CloseLane(Lane lane) => Close(key => key.Lane == lane);

    public ValueTask DisposeAsync()
    {
        lock (_connections) _isDisposed = true;
        Close(_ => true);
        return default;
    }

    private static async ValueTask<ResponseFrame> SendWhenConnectedAsync(
        ValueTask<BrokerConnection> entering, OutgoingRequest request, CancellationToken cancellationToken)
    {
        var connection = await entering.ConfigureAwait(false);
        return await connection.SendAsync(request, cancellationToken);
    }

    private Opening<BrokerConnection> FindConnection(BrokerId broker, Lane lane)
    {
        lock (_connections)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(OrleansLogClient));
            if (_connections.TryGetValue((broker, lane), out var known) && IsUsable(known.Task)) return known;
            return _connections[(broker, lane)] = new(broker == BrokerId.None ? ConnectToAnyAsync() : ConnectToAsync(broker));
        }
    }

    private static bool IsUsable(Task<BrokerConnection> connecting) =>
        !connecting.IsCompleted || (connecting.IsCompletedSuccessfully && connecting.Result.IsOpen);

    private async Task<BrokerConnection> ConnectToAsync(BrokerId broker)
    {
        if (!Volatile.Read(ref _brokers).TryGetValue(broker, out var node))
            throw new OrleansLogException(ErrorCode.BrokerNotAvailable, $"Broker {broker} is not among the living brokers of the cluster.");
        return await BrokerConnection.ConnectAsync(node.Host, node.Port, _ => Stalled?.Invoke(), _options, _time, _logger);
    }

    private async Task<BrokerConnection> ConnectToAnyAsync()
    {
        OrleansLogException? last = null;
        var stalled = Volatile.Read(ref _stalledEndpoint);
        foreach (var node in _bootstrap.AddRange(Volatile.Read(ref _brokers).Values).OrderBy(node => EndpointOf(node) == stalled))
        {
            try
            {
                return await BrokerConnection.ConnectAsync(node.Host, node.Port, LeaveForAnother, _options, _time, _logger);
            }
            catch (OrleansLogException e)
            {
                last = e;
            }
        }
        throw last!;
    }

    // What any broker can answer is not worth waiting for at one that hangs. Now and then only: all may be slow.
    private void LeaveForAnother(BrokerConnection connection)
    {
        var nowMs = _time.MonotonicMs();
        if (Interlocked.Read(ref _leftAtMs) is var last && nowMs - last < LeaveAgainAfterMs || !HasOther(connection.Endpoint)) return;
        if (Interlocked.CompareExchange(ref _leftAtMs, nowMs, last) != last) return;
        Volatile.Write(ref _stalledEndpoint, connection.Endpoint);
        connection.Dispose();
        Stalled?.Invoke();
    }

    private bool HasOther(string endpoint) =>
        _bootstrap.AddRange(Volatile.Read(ref _brokers).Values).Any(node => EndpointOf(node) != endpoint);

    private static string EndpointOf(BrokerNode node) => $"{node.Host}:{node.Port}";

    private void Close(Func<(BrokerId Broker, Lane Lane), bool> which)
    {
        List<Task<BrokerConnection>> closing = [];
        lock (_connections)
        {
            foreach (var key in _connections.Keys.Where(which).ToList())
            {
                _connections.Remove(key, out var connection);
                closing.Add(connection!.Task);
            }
        }
        foreach (var connection in closing)
        {
            connection.ContinueWith(
                static task => task.Result.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }
}
