using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>What the brokers' remote store has, for replicas that are to lead. Any thread.</summary>
internal sealed class StoredLogs(IRemoteStore store, ILogger logger) : IStoredLogs
{
    public async Task<RemoteManifest> FindAsync(Guid topicId, TopicPartition partition, CancellationToken cancellationToken) =>
        (await FileOf(topicId, partition).ReadAsync(cancellationToken)).Manifest;

    public Task<RemoteManifest> TakeOverAsync(Guid topicId, TopicPartition partition, LeaderEpoch epoch, CancellationToken cancellationToken) =>
        FileOf(topicId, partition).TakeOverAsync(epoch, cancellationToken);

    private ManifestFile FileOf(Guid topicId, TopicPartition partition) => new(store, RemoteTopics.PrefixOf(topicId, partition), logger);
}
