using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace OrleansLog.Grains.Placement;

/// <summary>Places pinned grains where they belong, or nowhere.</summary>
public sealed class PinnedPlacementDirector(PinnedLocator locator) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        locator.FindSilo(target.GrainIdentity) is { } silo
            ? Task.FromResult(silo)
            : Task.FromException<SiloAddress>(new SiloUnavailableException($"{target.GrainIdentity} belongs to broker {locator.BrokerOf(target.GrainIdentity)}, which is not there."));
}
