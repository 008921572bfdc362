using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Routes;

/// <summary>
/// Outside the silos: to each broker a cluster client of its own, which knows its silo's gateway alone. A client that knows
/// several sends a call through the one that the grain's id hashes to, and half of the throughput goes where that is another
/// silo's. And where the one connection breaks it is clear which calls are lost with it, at once.
/// </summary>
/// <param name="cluster">The application's own cluster client, to ask where the brokers are, and to connect as it does.</param>
/// <param name="options">How patient to be.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">Where to log.</param>
internal sealed class GatewayRoutes(IClusterClient cluster, ClientOptions options, TimeProvider time, ILoggerFactory loggers) : IBrokerRoutes
{
    private readonly TimeSpan _connectTimeMax = TimeSpan.FromMilliseconds(options.ConnectTimeoutMs);
    private readonly BrokerGateways _gateways = new(TimeSpan.FromMilliseconds(options.ConnectTimeoutMs), time);
    private readonly Dictionary<BrokerId, Task<GatewayClient>> _clients = [];
    private bool _isDisposed;

    public async ValueTask<BrokerRoute> FindAsync(BrokerId broker) => (broker == BrokerId.None ? await FindAnyAsync() : await Find(broker)).Route;

    public async ValueTask DisposeAsync()
    {
        List<Task<GatewayClient>> clients;
        lock (_clients)
        {
            _isDisposed = true;
            clients = [.. _clients.Values];
            _clients.Clear();
        }
        await Task.WhenAll(clients.Select(DisposeAsync));
    }

    private Task<GatewayClient> Find(BrokerId broker)
    {
        lock (_clients)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(OrleansLogClient));
            if (_clients.TryGetValue(broker, out var known))
            {
                if (IsUsable(known)) return known;
                _ = DisposeAsync(known);
            }
            return _clients[broker] = ConnectAsync(broker);
        }
    }

    private async Task<GatewayClient> FindAnyAsync()
    {
        if (Connected().FirstOrDefault() is { } connected) return connected;
        OrleansLogException? last = null;
        foreach (var broker in (await ReadGatewaysAsync()).Keys)
        {
            try
            {
                return await Find(broker);
            }
            catch (OrleansLogException failed)
            {
                last = failed;
            }
        }
        throw last ?? new OrleansLogException(ErrorCode.BrokerNotAvailable, "The silo cluster has no brokers. Check that it is one of OrleansLog silos, and that their gateways are open.");
    }

    private static bool IsUsable(Task<GatewayClient> connecting) =>
        !connecting.IsCompleted || (connecting.IsCompletedSuccessfully && !connecting.Result.IsLost);

    private List<GatewayClient> Connected()
    {
        lock (_clients) return [.. _clients.Values.Where(client => client.IsCompletedSuccessfully && IsUsable(client)).Select(client => client.Result)];
    }

    private Task<ImmutableDictionary<BrokerId, IPEndPoint>> ReadGatewaysAsync() =>
        _gateways.ReadAsync([.. Connected().Select(client => client.Route.Grains), cluster]);

    private async Task<GatewayClient> ConnectAsync(BrokerId broker)
    {
        var gateways = await ReadGatewaysAsync();
        return gateways.TryGetValue(broker, out var gateway)
            ? await GatewayClient.ConnectAsync(broker, gateway, cluster.ServiceProvider, loggers, _connectTimeMax, time)
            : throw new OrleansLogException(ErrorCode.BrokerNotAvailable, $"Broker {broker} is not among the living brokers of the cluster.");
    }

    private static async Task DisposeAsync(Task<GatewayClient> connecting)
    {
        await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (connecting.IsCompletedSuccessfully) await connecting.Result.DisposeAsync();
    }
}
