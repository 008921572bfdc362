using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;
using OrleansLog.Grains.Placement;

namespace OrleansLog.Grains;

/// <summary>Makes a silo one of a log cluster.</summary>
public static class GrainsHosting
{
    /// <summary>Adds the grains' placement, for a silo whose <see cref="ILocalBroker"/> is registered.</summary>
    public static ISiloBuilder AddOrleansLogGrains(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<BrokerSilos>();
        silo.Services.AddSingleton<PinnedLocator>();
        silo.AddPlacementDirector<PinnedPlacement, PinnedPlacementDirector>();
        silo.AddGrainDirectory(
            PinnedGrainDirectory.Name,
            static (services, _) => new PinnedGrainDirectory(services.GetRequiredService<PinnedLocator>(), services.GetRequiredService<BrokerSilos>()));
        return silo;
    }
}
