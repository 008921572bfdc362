using OrleansLog.Protocol;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Replication.Replicas;

/// <summary>
/// What a remote store has of partitions, as a replica asks that is to lead and may lack some of it. Everything in there was
/// committed. Any thread.
/// </summary>
public interface IStoredLogs
{
    /// <summary>What the store has of a partition at this moment.</summary>
    /// <exception cref="IOException">The store does not answer.</exception>
    /// <exception cref="InvalidDataException">What it has is damaged.</exception>
    Task<RemoteManifest> FindAsync(Guid topicId, TopicPartition partition, CancellationToken cancellationToken);

    /// <summary>As <see cref="FindAsync"/>; and from then on no earlier leadership puts more there.</summary>
    /// <exception cref="IOException">The store does not answer, or a later leader was there.</exception>
    /// <exception cref="InvalidDataException">What it has is damaged.</exception>
    Task<RemoteManifest> TakeOverAsync(Guid topicId, TopicPartition partition, LeaderEpoch epoch, CancellationToken cancellationToken);
}
