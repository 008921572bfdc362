using Orleans.Concurrency;
using OrleansLog.Grains.Placement;

namespace OrleansLog.Grains;

/// <inheritdoc cref="ITransactionCoordinatorGrain"/>
[GrainType(GrainTypes.TransactionCoordinator), Reentrant, Pinned]
internal sealed class TransactionCoordinatorGrain(ILocalBroker broker) : Grain, ITransactionCoordinatorGrain
{
    public ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken)
    {
        // Its answer says that it is not the coordinator; the next call is to be placed anew.
        if (broker.TransactionCoordinatorOf((int)this.GetPrimaryKeyLong()) != broker.Id) DeactivateOnIdle();
        return broker.HandleAsync(request, cancellationToken);
    }
}
