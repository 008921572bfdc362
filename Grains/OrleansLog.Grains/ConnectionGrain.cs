using Orleans.Concurrency;
using OrleansLog.Grains.Calls;
using OrleansLog.Grains.Placement;

namespace OrleansLog.Grains;

/// <inheritdoc cref="IConnectionGrain"/>
[GrainType(GrainTypes.Connection), Reentrant, Pinned]
internal sealed class ConnectionGrain : Grain, IConnectionGrain, IDisposable
{
    private readonly CancellationTokenSource _closed;
    private readonly Turns _turns;

    public ConnectionGrain(ILocalBroker broker)
    {
        _closed = CancellationTokenSource.CreateLinkedTokenSource(broker.Stopping);
        _turns = new(request => broker.HandleAsync(request, _closed.Token));
    }

    public ValueTask<Payload> HandleAsync(long number, Payload request) => _turns.TakeAsync(number, request);

    public Task CloseAsync()
    {
        DeactivateOnIdle();
        return _closed.CancelAsync();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _closed.CancelAsync();

    public void Dispose() => _closed.Dispose();
}
