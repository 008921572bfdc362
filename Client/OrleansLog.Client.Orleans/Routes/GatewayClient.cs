using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Serialization;
using OrleansLog.Client.Orleans.Connections;
using OrleansLog.Grains;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Routes;

/// <summary>A cluster client that knows one broker's gateway and no other, from its connection until that breaks.</summary>
internal sealed class GatewayClient : IAsyncDisposable
{
    private readonly CancellationTokenSource _lost = new();
    private readonly ServiceProvider _services;

    private GatewayClient(BrokerId broker, IPEndPoint gateway, IServiceProvider parent, ILoggerFactory loggers)
    {
        _services = Describe(gateway, parent, loggers).BuildServiceProvider();
        Route = new BrokerRoute(broker, _services.GetRequiredService<IClusterClient>(), _lost.Token);
    }

    public BrokerRoute Route { get; }

    public bool IsLost => _lost.IsCancellationRequested;

    /// <exception cref="OrleansLogException">Nobody serves there.</exception>
    public static async Task<GatewayClient> ConnectAsync(
        BrokerId broker, IPEndPoint gateway, IServiceProvider parent, ILoggerFactory loggers, TimeSpan timeMax, TimeProvider time)
    {
        var client = new GatewayClient(broker, gateway, parent, loggers);
        try
        {
            foreach (var service in client._services.GetServices<IHostedService>())
                await service.StartAsync(CancellationToken.None).WaitAsync(timeMax, time);
            return client;
        }
        catch (Exception failed)
        {
            await client.DisposeAsync();
            throw new OrleansLogException(GrainFailures.CodeOf(failed), $"Cannot connect to the gateway of broker {broker} at {gateway}: {failed.Message}", failed);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _lost.CancelAsync();
        try
        {
            foreach (var service in _services.GetServices<IHostedService>().Reverse())
                await service.StopAsync(CancellationToken.None);
        }
        catch (Exception failed)
        {
            _services.GetRequiredService<ILogger<GatewayClient>>().LogDebug(failed, "The connection to broker {Broker} did not end cleanly.", Route.Broker);
        }
        await _services.DisposeAsync();
        _lost.Dispose();
    }

    private ServiceCollection Describe(IPEndPoint gateway, IServiceProvider parent, ILoggerFactory loggers)
    {
        var services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddOrleansClient(client => client
            .UseStaticClustering(gateway)
            .UseConnectionRetryFilter((_, _) => Task.FromResult(false))
            .AddClusterConnectionLostHandler((_, _) => _lost.Cancel()));
        ReplaceConnections(services);
        services.AddSerializer(serializer => serializer.AddAssembly(typeof(IConnectionGrain).Assembly));
        PassOn<ClusterOptions>(parent, services);
        PassOn<ClientMessagingOptions>(parent, services);
        PassOn<ConnectionOptions>(parent, services);
        PassOn<ClientConnectionOptions>(parent, services);
        // What the application has around its calls is around these: Orleans' own propagation of traces, for one.
        foreach (var filter in parent.GetServices<IOutgoingGrainCallFilter>()) services.AddSingleton(filter);
        return services;
    }

    // The last one added for the key under which Orleans looks counts.
    private static void ReplaceConnections(ServiceCollection services)
    {
        var key = services.Last(service => service.ServiceType == typeof(IConnectionFactory) && service.IsKeyedService).ServiceKey;
        services.AddKeyedSingleton<IConnectionFactory>(key, (_, _) => new SocketConnectionFactory());
    }

    // It connects as the application's client does: to the same cluster, with the same limits, through the same TLS.
    private static void PassOn<TOptions>(IServiceProvider parent, ServiceCollection services) where TOptions : class =>
        services.AddSingleton(parent.GetRequiredService<IOptions<TOptions>>());
}
