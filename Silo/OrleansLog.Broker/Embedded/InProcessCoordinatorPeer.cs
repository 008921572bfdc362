using OrleansLog.Broker.Nodes;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Embedded;

/// <summary>
/// Another broker of the same process, as a broker's coordinators ask it: a call. A broker that is down refuses it, a
/// paused one holds it up.
/// </summary>
internal sealed class InProcessCoordinatorPeer(PauseGate gate, BrokerId to, Func<BrokerNode?> find) : ICoordinatorPeer
{
    public Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.AddPartitionsToTxnAsync(request, cancellationToken), cancellationToken);

    public Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.WriteTxnMarkersAsync(request, cancellationToken), cancellationToken);

    public Task<InitializeShareGroupStateResponse> InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.InitializeShareStateAsync(request, cancellationToken), cancellationToken);

    public Task<ReadShareGroupStateResponse> ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.ReadShareStateAsync(request, cancellationToken), cancellationToken);

    public Task<WriteShareGroupStateResponse> WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.WriteShareStateAsync(request, cancellationToken), cancellationToken);

    public Task<DeleteShareGroupStateResponse> DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.DeleteShareStateAsync(request, cancellationToken), cancellationToken);

    public Task<ReadShareGroupStateSummaryResponse> SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.SummarizeShareStateAsync(request, cancellationToken), cancellationToken);

    public Task<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.ListOffsetsAsync(request, cancellationToken), cancellationToken);

    private async Task<T> CallAsync<T>(Func<ICoordinatorPeer, Task<T>> call, CancellationToken cancellationToken)
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
