using Orleans.Concurrency;
using OrleansLog.Grains.Calls;
using OrleansLog.Grains.Placement;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Grains;

/// <inheritdoc cref="IBrokerGrain"/>
[GrainType(GrainTypes.Broker), Reentrant, Pinned]
internal sealed class BrokerGrain(ILocalBroker broker) : Grain, IBrokerGrain
{
    public ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken) => broker.HandleAsync(request, cancellationToken);

    public Task TellAsync(NewsCall[] news, CancellationToken cancellationToken) =>
        broker.Peer.TellAsync([.. news.Select(each => new RegisterNews(each.Key, each.Document.Bytes))], cancellationToken);

    public Task LeadPreferredAsync(string topic, int partition) => broker.Peer.LeadPreferredAsync(new(topic, partition), CancellationToken.None);

    public async Task<LogEnd?> FindLogEndAsync(string topic, int partition) =>
        await broker.Peer.FindLogEndAsync(new(topic, partition), CancellationToken.None) is { } end ? LogEnd.Of(end) : null;

    public Task<bool> LeadUncleanlyAsync(string topic, int partition) => broker.Peer.LeadUncleanlyAsync(new(topic, partition), CancellationToken.None);
}
