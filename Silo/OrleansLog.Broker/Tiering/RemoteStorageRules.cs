using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;

namespace OrleansLog.Broker.Tiering;

/// <summary>Which topics can be kept in remote storage.</summary>
internal static class RemoteStorageRules
{
    private static readonly string Setting = TopicConfigs.RemoteStorageEnable.Name;

    /// <summary>Why a topic cannot be kept as it is to be; null if it can.</summary>
    /// <param name="before">How it was kept so far; null for a new one.</param>
    /// <param name="after">How it is to be kept.</param>
    /// <param name="topic">Its name.</param>
    /// <param name="hasStore">Whether the brokers have a remote store.</param>
    public static string? Refuse(PartitionSettings? before, PartitionSettings after, string topic, bool hasStore) =>
        before?.Tiering is not null && after.Tiering is null
            ? $"{Setting} of '{topic}' cannot be switched off in this release: what is in the remote store could not be read any more. Copy the topic, or delete it."
        : after.Tiering is null ? null
        : after.NeedsKeys
            ? $"'{topic}' cannot be compacted and kept in remote storage both: of {TopicConfigs.CleanupPolicy.Name}=compact and {Setting}=true choose one."
        : TopicName.IsInternal(topic) ? $"'{topic}' is one of the brokers' own topics, which stay on their disks."
        : hasStore ? null
        : $"{Setting} needs a remote store: start the brokers with --config {BrokerConfigs.RemoteStorageDirectory.Name}=DIR, or name a blob container.";
}
