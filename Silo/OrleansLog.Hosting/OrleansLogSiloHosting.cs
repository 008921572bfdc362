using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Runtime;
using OrleansLog.Grains;
using OrleansLog.Grains.Placement;
using OrleansLog.Hosting;
using OrleansLog.Protocol;

// In the namespace where Orleans' hosts look for such methods.
namespace Orleans.Hosting;

/// <summary>Puts brokers of the log on an application's own silos.</summary>
public static class OrleansLogSiloHosting
{
    /// <summary>
    /// Puts a broker with its Kafka endpoint on this silo. The silos of a cluster that do so, with whatever clustering and
    /// storage the application has chosen, form one log; it opens before its silo becomes a member, and hands over what it
    /// leads before the silo leaves. The silo is named after the broker. Its grains and services reach the log by
    /// <c>AddOrleansLogClient</c>; <see cref="ILogBroker"/> tells how the broker is.
    /// </summary>
    /// <param name="silo">The silo.</param>
    /// <param name="options">The broker.</param>
    /// <exception cref="ArgumentException">A config is unknown, or has a value that it cannot have.</exception>
    /// <exception cref="BrokerIdentityException">The data directory belongs to another broker.</exception>
    /// <exception cref="InvalidOperationException">The broker has no id yet.</exception>
    public static ISiloBuilder AddOrleansLog(this ISiloBuilder silo, LogBrokerOptions options)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        var id = IdOf(options);
        var broker = new ApplicationBroker(options, id);
        if (options.DetectsFailuresQuickly)
            silo.Configure<ClusterMembershipOptions>(FailureDetection.Tune);
        return silo.AddBroker(id, broker.OpenAsync);
    }

    /// <summary>As <see cref="AddOrleansLog"/>, for a broker that is put together elsewhere.</summary>
    internal static ISiloBuilder AddBroker(this ISiloBuilder silo, BrokerId id, Func<IServiceProvider, CancellationToken, Task<BrokerParts>> prepare)
    {
        silo.Services.AddSingleton(new LocalBroker(id));
        silo.Services.AddSingleton<ILocalBroker>(static services => services.GetRequiredService<LocalBroker>());
        silo.Services.AddSingleton<ControllerForwarder>();
        silo.Services.AddSingleton(services => new BrokerSilo(
            services.GetRequiredService<LocalBroker>(), cancellation => prepare(services, cancellation), services.GetRequiredService<IGrainFactory>(),
            services.GetRequiredService<IClusterMembershipService>(), services.GetRequiredService<ILoggerFactory>()));
        silo.Services.AddSingleton<ILogBroker>(static services => services.GetRequiredService<BrokerSilo>());
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(static services => services.GetRequiredService<BrokerSilo>());
        silo.Configure<SiloOptions>(named => named.SiloName = BrokerSilos.NameOf(id));
        return silo.AddOrleansLogGrains();
    }

    private static BrokerId IdOf(LogBrokerOptions options) =>
        BrokerIdentity.Find(options.BrokerId, options.DataDirectory)
        ?? (options.Metadata.IsOfOneBroker
            ? new BrokerId(0)
            : throw new InvalidOperationException(
                $"Say which broker of its cluster the new data directory {options.DataDirectory} is for: set {nameof(LogBrokerOptions)}.{nameof(LogBrokerOptions.BrokerId)}, "
                + "to another number on each silo."));
}
