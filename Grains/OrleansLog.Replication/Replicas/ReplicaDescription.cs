using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>What a broker has to know of a replica to open it.</summary>
/// <param name="Id">Its partition.</param>
/// <param name="TopicId">Which topic of that name.</param>
/// <param name="Directory">The name of its directory in the broker's data directory.</param>
/// <param name="Replication">How the partition is replicated.</param>
/// <param name="Log">How its log is kept.</param>
public sealed record ReplicaDescription(TopicPartition Id, Guid TopicId, string Directory, ReplicationOptions Replication, LogOptions Log)
{
    /// <summary>A replica in a directory that bears the partition's name.</summary>
    public ReplicaDescription(TopicPartition id, ReplicationOptions replication, LogOptions log) : this(id, Guid.Empty, id.ToString(), replication, log)
    {
    }
}
