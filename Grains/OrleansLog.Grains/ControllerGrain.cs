using Orleans.Concurrency;
using OrleansLog.Grains.Placement;

namespace OrleansLog.Grains;

/// <inheritdoc cref="IControllerGrain"/>
[GrainType(GrainTypes.Controller), Reentrant, Pinned]
internal sealed class ControllerGrain(ILocalBroker broker) : Grain, IControllerGrain
{
    public ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken)
    {
        if (broker.Controller != broker.Id) DeactivateOnIdle();
        return broker.HandleAsync(request, cancellationToken);
    }
}
