using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Client;
using OrleansLog.Client.Hosting;

// In the namespace where hosts look for such methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds consumers that run with a generic host.</summary>
public static class OrleansLogConsumerServiceCollectionExtensions
{
    /// <summary>
    /// Adds a consumer that reads while the host runs and has each record handled by a <typeparamref name="THandler"/>
    /// out of a service scope of its own. Needs <c>AddOrleansLogClient</c>. Several may be added, each with a handler type of its own.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configure">Sets at least the group and the topics.</param>
    /// <exception cref="ArgumentException">Something is missing from the options, or out of its range.</exception>
    public static IServiceCollection AddConsumer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler, TKey, TValue>(
        this IServiceCollection services, Func<HostedConsumerOptions<TKey, TValue>, HostedConsumerOptions<TKey, TValue>> configure)
        where THandler : class, IRecordHandler<TKey, TValue>
    {
        var options = configure(new HostedConsumerOptions<TKey, TValue>()).Checked();
        var status = new HostedConsumerStatus(options.DisplayName);
        services.TryAddScoped<THandler>();
        services.AddSingleton(status);
        services.TryAddSingleton(provider => new ConsumerHealthCheck(provider.GetServices<HostedConsumerStatus>()));
        return services.AddSingleton<IHostedService>(provider => new HostedConsumer<TKey, TValue>(
            provider.GetRequiredService<OrleansLogClient>(), options, HandleAsync<THandler, TKey, TValue>(provider), status,
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            (provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance).CreateLogger<THandler>()));
    }

    /// <summary>As the other, for text: keys and values are UTF-8.</summary>
    public static IServiceCollection AddConsumer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, Func<HostedConsumerOptions<string, string>, HostedConsumerOptions<string, string>> configure)
        where THandler : class, IRecordHandler<string, string> =>
        services.AddConsumer<THandler, string, string>(configure);

    private static Func<ConsumedRecord<TKey, TValue>, CancellationToken, ValueTask> HandleAsync<THandler, TKey, TValue>(IServiceProvider provider)
        where THandler : class, IRecordHandler<TKey, TValue> => async (record, cancellationToken) =>
        {
            await using var scope = provider.CreateAsyncScope();
            await scope.ServiceProvider.GetRequiredService<THandler>().HandleAsync(record, cancellationToken);
        };
}
