using OrleansLog.Broker.Nodes;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Embedded;

/// <summary>
/// Another broker of the same process, as one broker asks it about transactions: a call. A broker that is down refuses it, a
/// paused one holds it up.
/// </summary>
internal sealed class InProcessTransactionPeer(PauseGate gate, BrokerId to, Func<BrokerNode?> find) : ITransactionPeer
{
    public Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.AddPartitionsToTxnAsync(request, cancellationToken), cancellationToken);

    public Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.WriteTxnMarkersAsync(request, cancellationToken), cancellationToken);

    private async Task<T> CallAsync<T>(Func<ITransactionPeer, Task<T>> call, CancellationToken cancellationToken)
    {
        await gate.PassAsync(cancellationToken);
        var node = find();
        if (node is not null)
            await node.Gate.PassAsync(cancellationToken);
        if (node?.Broker is not { } broker)
            throw new IOException($"Broker {to} is not running.");
        var answer = await call(broker).WaitAsync(cancellationToken);
        await node.Gate.PassAsync(cancellationToken);
        return answer;
    }
}
