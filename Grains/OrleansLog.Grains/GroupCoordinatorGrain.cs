using Orleans.Concurrency;
using OrleansLog.Grains.Placement;

namespace OrleansLog.Grains;

/// <inheritdoc cref="IGroupCoordinatorGrain"/>
[GrainType(GrainTypes.GroupCoordinator), Reentrant, Pinned]
internal sealed class GroupCoordinatorGrain(ILocalBroker broker) : Grain, IGroupCoordinatorGrain
{
    public ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken)
    {
        // Its answer says that it is not the coordinator; the next call is to be placed anew.
        if (broker.CoordinatorOf((int)this.GetPrimaryKeyLong()) != broker.Id) DeactivateOnIdle();
        return broker.HandleAsync(request, cancellationToken);
    }
}
