using OrleansLog.Grains;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Orleans.Routes;

/// <summary>
/// Inside a silo that carries a broker: calls to its own broker stay in the process, those to others go from silo to silo.
/// Silos notice by themselves when another is gone, and fail what was under way to it.
/// </summary>
internal sealed class SiloRoutes(IGrainFactory grains, ILocalBroker local) : IBrokerRoutes
{
    public ValueTask<BrokerRoute> FindAsync(BrokerId broker) => new(new BrokerRoute(broker == BrokerId.None ? local.Id : broker, grains, CancellationToken.None));

    public ValueTask DisposeAsync() => default;
}
