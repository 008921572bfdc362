using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Coordinators;

/// <summary>Another broker, as a broker's coordinators ask it: over the simulated network, which may bring no answer.</summary>
internal sealed class SimPeer(SimCluster cluster, SimBroker from, SimBroker to) : ICoordinatorPeer
{
    private const long TimeoutUs = 2_000_000;

    public Task<AddPartitionsToTxnResponse> AddPartitionsToTxnAsync(AddPartitionsToTxnRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.AddPartitionsToTxnAsync(request, CancellationToken.None), cancellationToken);

    public Task<WriteTxnMarkersResponse> WriteTxnMarkersAsync(WriteTxnMarkersRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.WriteTxnMarkersAsync(request, CancellationToken.None), cancellationToken);

    public Task<InitializeShareGroupStateResponse> InitializeShareStateAsync(InitializeShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.InitializeShareStateAsync(request, CancellationToken.None), cancellationToken);

    public Task<ReadShareGroupStateResponse> ReadShareStateAsync(ReadShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.ReadShareStateAsync(request, CancellationToken.None), cancellationToken);

    public Task<WriteShareGroupStateResponse> WriteShareStateAsync(WriteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.WriteShareStateAsync(request, CancellationToken.None), cancellationToken);

    public Task<DeleteShareGroupStateResponse> DeleteShareStateAsync(DeleteShareGroupStateRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.DeleteShareStateAsync(request, CancellationToken.None), cancellationToken);

    public Task<ReadShareGroupStateSummaryResponse> SummarizeShareStateAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.SummarizeShareStateAsync(request, CancellationToken.None), cancellationToken);

    public Task<ListOffsetsResponse> ListOffsetsAsync(ListOffsetsRequest request, CancellationToken cancellationToken) =>
        CallAsync(peer => peer.ListOffsetsAsync(request, CancellationToken.None), cancellationToken);

    private async Task<T> CallAsync<T>(Func<ICoordinatorPeer, Task<T>> call, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var cancelled = cancellationToken.UnsafeRegister(static source => ((TaskCompletionSource<T>)source!).TrySetCanceled(), done);
        cluster.Network.Send(from.Id.Value, to.Id.Value, () => Deliver(call, done), mayRepeat: false);
        cluster.Scheduler.After(TimeoutUs, () => done.TrySetException(new IOException($"Broker {to.Id} does not answer.")));
        return await done.Task;
    }

    private void Deliver<T>(Func<ICoordinatorPeer, Task<T>> call, TaskCompletionSource<T> done)
    {
        if (to.IsServing) to.Process!.Enter(() => _ = AnswerAsync(call, done));
        else cluster.Network.Send(to.Id.Value, from.Id.Value, () => done.TrySetException(new IOException($"Broker {to.Id} is not running.")), mayRepeat: false);
    }

    private async Task AnswerAsync<T>(Func<ICoordinatorPeer, Task<T>> call, TaskCompletionSource<T> done)
    {
        // It may have been paused when the call came, and stopped since.
        if (to.Node is not { } node) return;
        var answer = await call(node.Broker);
        cluster.Network.Send(to.Id.Value, from.Id.Value, () => done.TrySetResult(answer), mayRepeat: false);
    }
}
