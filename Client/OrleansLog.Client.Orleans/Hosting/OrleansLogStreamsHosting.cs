using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansLog.Client.Orleans.Streams;

// In the namespace where Orleans' hosts look for such methods.
namespace Orleans.Hosting;

/// <summary>Makes the log a provider of Orleans streams: durable, and rewindable to every offset that the topic retains.</summary>
public static class OrleansLogStreamsHosting
{
    /// <summary>Adds a stream provider to a silo. Explicit subscriptions need a grain storage named <c>PubSubStore</c>, as with any provider.</summary>
    /// <param name="silo">A silo of the log's own cluster, or any other with <see cref="LogStreamOptions.BootstrapServers"/> set.</param>
    /// <param name="name">The provider's name, by which grains ask for it.</param>
    /// <param name="configure">Changes the defaults.</param>
    public static ISiloBuilder AddOrleansLogStreams(this ISiloBuilder silo, string name, Action<LogStreamOptions>? configure = null)
    {
        AddServices(silo.Services, name, configure);
        _ = new SiloPersistentStreamConfigurator(name, change => silo.ConfigureServices(change), LogStreamAdapter.Create);
        return silo;
    }

    /// <summary>Adds a stream provider to an Orleans client, which may publish and subscribe; silos deliver.</summary>
    /// <param name="client">A client of a cluster whose silos have the same provider.</param>
    /// <param name="name">The provider's name.</param>
    /// <param name="configure">Changes the defaults, as in the silos.</param>
    public static IClientBuilder AddOrleansLogStreams(this IClientBuilder client, string name, Action<LogStreamOptions>? configure = null)
    {
        AddServices(client.Services, name, configure);
        _ = new ClusterClientPersistentStreamConfigurator(name, client, LogStreamAdapter.Create);
        return client;
    }

    private static void AddServices(IServiceCollection services, string name, Action<LogStreamOptions>? configure)
    {
        services.AddOrleansLogGrainClient();
        services.AddSerializer(serializer => serializer.AddAssembly(typeof(LogBatch).Assembly));
        services.AddOptions<LogStreamOptions>(name)
            .Configure(options => configure?.Invoke(options))
            .Validate(options => options.Partitions > 0, $"The stream provider '{name}' needs at least one partition.");
    }
}
