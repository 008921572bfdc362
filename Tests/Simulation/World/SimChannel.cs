using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Replicas;

namespace OrleansLog.Simulation.World;

/// <summary>One broker's way to the others.</summary>
internal sealed class SimChannel(SimCluster cluster, SimBroker from) : IReplicationChannel
{
    private readonly Dictionary<(BrokerId To, TopicPartition Partition), int> _outstanding = [];

    public async ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<AppendReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var cancelled = cancellationToken.UnsafeRegister(
            static source => ((TaskCompletionSource<AppendReply>)source!).TrySetCanceled(), done);
        var line = (to, request.Partition);
        var count = _outstanding[line] = _outstanding.GetValueOrDefault(line) + 1;
        cluster.Check(checker => checker.OnSending(from, to, request, count));
        // What is on its way, perhaps twice, is the network's: the sender's buffer may long be in use again.
        var sent = request with { Records = request.Records.ToArray() };
        cluster.Network.Send(from.Id.Value, to.Value, () => Deliver(cluster.Find(to), sent, done));
        try
        {
            return await done.Task;
        }
        finally
        {
            _outstanding[line]--;
        }
    }

    private void Deliver(SimBroker to, AppendRequest request, TaskCompletionSource<AppendReply> done) =>
        to.Process?.Enter(() => _ = HandleAsync(to, request, done));

    private async Task HandleAsync(SimBroker to, AppendRequest request, TaskCompletionSource<AppendReply> done)
    {
        if (to.Replicas is not { } replicas) return;
        var reply = await replicas.HandleAppendAsync(request);
        cluster.Network.Send(to.Id.Value, from.Id.Value, () => done.TrySetResult(reply));
    }
}
