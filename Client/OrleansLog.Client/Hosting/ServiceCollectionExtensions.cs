using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansLog.Client;
using OrleansLog.Client.Hosting;

// In the namespace where hosts look for such methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes the client available to a generic host.</summary>
public static class OrleansLogServiceCollectionExtensions
{
    /// <summary>
    /// Adds one <see cref="OrleansLogClient"/> for the whole process. It logs to the host's loggers and is disposed
    /// with the host.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Changes the defaults, for instance <c>options => options with { BootstrapServers = "b1:9092" }</c>.</param>
    public static IServiceCollection AddOrleansLogClient(this IServiceCollection services, Func<ClientOptions, ClientOptions>? configure = null) =>
        services.AddOrleansLogClient((_, options) => configure is null ? options : configure(options));

    /// <inheritdoc cref="AddOrleansLogClient(IServiceCollection, Func{ClientOptions, ClientOptions}?)"/>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Changes the defaults with the help of other services, for instance from configuration.</param>
    public static IServiceCollection AddOrleansLogClient(this IServiceCollection services, Func<IServiceProvider, ClientOptions, ClientOptions> configure)
    {
        services.TryAddSingleton(provider => new OrleansLogClient(
            configure(provider, new ClientOptions()), provider.GetService<ILoggerFactory>(), provider.GetService<TimeProvider>()));
        services.TryAddSingleton(provider => provider.GetRequiredService<OrleansLogClient>().Admin);
        return services;
    }

    /// <summary>Adds one producer for the whole process, which is flushed and disposed with the host.</summary>
    public static IServiceCollection AddOrleansLogProducer<TKey, TValue>(
        this IServiceCollection services,
        Func<ProducerOptions, ProducerOptions>? configure = null,
        ISerializer<TKey>? keySerializer = null,
        ISerializer<TValue>? valueSerializer = null) => services.AddSingleton(provider =>
            provider.GetRequiredService<OrleansLogClient>().CreateProducer(
                configure is null ? new ProducerOptions() : configure(new ProducerOptions()), keySerializer, valueSerializer));

    /// <summary>
    /// Adds a service that reads topics as a member of a group while the host runs, and hands each record to
    /// <paramref name="handle"/>, one at a time. A record counts as processed when the handler has returned; what it
    /// throws ends the service, and the record comes again after a restart.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="topics">What to subscribe to.</param>
    /// <param name="configure">Sets at least <see cref="ConsumerOptions.GroupId"/>.</param>
    /// <param name="handle">What to do with a record.</param>
    /// <param name="keyDeserializer">How to read keys; the built-in way of the type if null.</param>
    /// <param name="valueDeserializer">How to read values; the built-in way of the type if null.</param>
    public static IServiceCollection AddOrleansLogConsumer<TKey, TValue>(
        this IServiceCollection services,
        IReadOnlyList<string> topics,
        Func<ConsumerOptions, ConsumerOptions> configure,
        Func<IServiceProvider, ConsumedRecord<TKey, TValue>, CancellationToken, ValueTask> handle,
        IDeserializer<TKey>? keyDeserializer = null,
        IDeserializer<TValue>? valueDeserializer = null)
    {
        var options = configure(new ConsumerOptions());
        return services.AddSingleton<IHostedService>(provider => new ConsumerService<TKey, TValue>(
            provider, () => provider.GetRequiredService<OrleansLogClient>().CreateConsumer(options, keyDeserializer, valueDeserializer), topics, handle));
    }
}
