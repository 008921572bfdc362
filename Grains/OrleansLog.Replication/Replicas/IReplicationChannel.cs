using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// The way to the other brokers. An implementation may gather what goes to one broker in one turn, for many partitions,
/// into one call. It may lose, repeat and reorder. Any thread.
/// </summary>
public interface IReplicationChannel
{
    /// <summary>Delivers an append to the replica of its partition on a broker and brings back the answer.</summary>
    /// <exception cref="IOException">No answer came; what became of the append is unknown.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first; this comes promptly then.</exception>
    ValueTask<AppendReply> AppendAsync(BrokerId to, AppendRequest request, CancellationToken cancellationToken);
}
