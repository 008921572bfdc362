using System.Diagnostics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Replicas;

namespace OrleansLog.Broker.Tracing;

/// <summary>Spans around the appends that a leader pushes, and those that a follower is pushed. Any thread.</summary>
internal sealed class TracedChannel(IReplicationChannel inner) : IReplicationChannel
{
    public ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken) =>
        BrokerTracing.IsOn && !request.Records.IsEmpty ? PushAsync(to, request, cancellationToken) : inner.AppendAsync(to, request, cancellationToken);

    /// <summary>Has a broker's replica handle an append.</summary>
    public static ValueTask<AppendReply> HandleAppendAsync(BrokerReplicas replicas, BrokerId broker, AppendRequest request) =>
        BrokerTracing.IsOn && !request.Records.IsEmpty ? FollowAsync(replicas, broker, request) : replicas.HandleAppendAsync(request);

    private async ValueTask<AppendReply> PushAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken)
    {
        var span = BrokerTracing.Start("replicate", ActivityKind.Client, request.Partition, to, request.Records.Span);
        // Without one, what is current belongs to an earlier push.
        Activity.Current = span;
        AppendReply? reply = null;
        try
        {
            reply = await inner.AppendAsync(to, request, cancellationToken);
            return reply;
        }
        finally
        {
            BrokerTracing.End(span, reply);
        }
    }

    private static async ValueTask<AppendReply> FollowAsync(BrokerReplicas replicas, BrokerId broker, AppendRequest request)
    {
        var span = BrokerTracing.Start("follow", ActivityKind.Server, request.Partition, broker, request.Records.Span);
        AppendReply? reply = null;
        try
        {
            reply = await replicas.HandleAppendAsync(request);
            return reply;
        }
        finally
        {
            BrokerTracing.End(span, reply);
        }
    }
}
