using OrleansLog.Broker.Nodes;
using OrleansLog.Broker.Tracing;
using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Replicas;

namespace OrleansLog.Broker.Embedded;

/// <summary>
/// From one broker to the others of its process: a call. A broker that is down refuses it, a paused one holds it up.
/// </summary>
internal sealed class InProcessChannel(PauseGate gate, Func<BrokerId, BrokerNode?> find) : IReplicationChannel
{
    public async ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken)
    {
        if (gate.IsPaused)
            await gate.PassAsync(cancellationToken);
        var node = find(to);
        if (node is { Gate.IsPaused: true })
            await node.Gate.PassAsync(cancellationToken);
        if (node?.Replicas is not { } replicas)
            throw new IOException($"Broker {to} is not running.");
        var reply = await TracedChannel.HandleAppendAsync(replicas, to, request).AsTask().WaitAsync(cancellationToken);
        if (node.Gate.IsPaused)
            await node.Gate.PassAsync(cancellationToken);
        return reply;
    }
}
