using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Serialization;
using OrleansLog.Client;
using OrleansLog.Client.Orleans;
using OrleansLog.Client.Orleans.Routes;
using OrleansLog.Client.Transport;
using OrleansLog.Grains;

// In the namespace where Orleans' hosts look for such methods.
namespace Orleans.Hosting;

/// <summary>Makes the log client, with grain calls as its way to the brokers, available to Orleans clients and silos.</summary>
public static class OrleansLogHosting
{
    /// <summary>
    /// Adds one <see cref="OrleansLogClient"/> that reaches the brokers through the silo cluster of this Orleans client. It
    /// connects when something is first asked of it, to the gateway of each broker that it needs.
    /// </summary>
    /// <param name="client">The Orleans client, configured for the cluster of the log's silos.</param>
    /// <param name="configure">Changes the defaults.</param>
    public static IClientBuilder AddOrleansLogClient(this IClientBuilder client, Func<ClientOptions, ClientOptions>? configure = null)
    {
        client.Services.AddOrleansLogGrainClient(configure);
        return client;
    }

    /// <summary>
    /// Adds one <see cref="OrleansLogClient"/> for the grains and services of a silo that carries a broker. What that broker
    /// leads is reached without leaving the process.
    /// </summary>
    /// <param name="silo">A silo with a broker.</param>
    /// <param name="configure">Changes the defaults.</param>
    public static ISiloBuilder AddOrleansLogClient(this ISiloBuilder silo, Func<ClientOptions, ClientOptions>? configure = null)
    {
        silo.Services.AddOrleansLogGrainClient(configure);
        return silo;
    }

    /// <summary>
    /// Adds the same to services that an Orleans client or a silo with a broker is (or will be) among, for hosts that put
    /// their services together elsewhere than Orleans is configured.
    /// </summary>
    public static IServiceCollection AddOrleansLogGrainClient(this IServiceCollection services, Func<ClientOptions, ClientOptions>? configure = null)
    {
        services.AddSerializer(serializer => serializer.AddAssembly(typeof(IConnectionGrain).Assembly));
        var options = configure?.Invoke(new ClientOptions()) ?? new ClientOptions();
        services.TryAddSingleton<IClusterTransport>(provider => CreateTransport(provider, options));
        services.TryAddSingleton(provider => new OrleansLogClient(
            options, provider.GetRequiredService<IClusterTransport>(), provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>()));
        services.TryAddSingleton(provider => provider.GetRequiredService<OrleansLogClient>().Admin);
        return services;
    }

    private static GrainTransport CreateTransport(IServiceProvider services, ClientOptions options)
    {
        var loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var (routes, limits) = services.GetService<ILocalBroker>() is { } local
            ? FromSilo(services, local)
            : FromOutside(services, options, time, loggers);
        return new GrainTransport(routes, limits, options, time, loggers.CreateLogger<GrainTransport>());
    }

    private static (IBrokerRoutes, GrainCallLimits) FromSilo(IServiceProvider services, ILocalBroker local) => (
        new SiloRoutes(services.GetRequiredService<IGrainFactory>(), local),
        GrainCallLimits.For(services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value.MaxMessageBodySize));

    private static (IBrokerRoutes, GrainCallLimits) FromOutside(IServiceProvider services, ClientOptions options, TimeProvider time, ILoggerFactory loggers) => (
        new GatewayRoutes(services.GetRequiredService<IClusterClient>(), options, time, loggers),
        GrainCallLimits.For(services.GetRequiredService<IOptions<ClientMessagingOptions>>().Value.MaxMessageBodySize));
}
