using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Partitions;
using OrleansLog.Broker.Topics;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>Which topics can be kept in remote storage, and how they are taken out of it again (KIP-950).</summary>
internal static class RemoteStorageRules
{
    private static readonly string Setting = TopicConfigs.RemoteStorageEnable.Name;

    /// <summary>Why a topic cannot be kept as it is to be; null if it can.</summary>
    /// <param name="before">How it was kept so far; null for a new one.</param>
    /// <param name="after">How it is to be kept.</param>
    /// <param name="topic">Its name.</param>
    /// <param name="hasStore">Whether the brokers have a remote store.</param>
    public static string? Refuse(PartitionSettings? before, PartitionSettings after, string topic, bool hasStore) =>
        before?.Tiering is not null && after.Tiering is null && !after.DropsStored
            ? $"{Setting} of '{topic}' cannot just be switched off, for the remote store has records that are nowhere else. To delete them, set "
                + $"{TopicConfigs.RemoteLogDeleteOnDisable.Name}=true with it; to read them on and store no more, leave it on and set {TopicConfigs.RemoteCopyDisable.Name}=true."
        : after.Tiering is not { } tiering ? null
        : after.NeedsKeys
            ? $"'{topic}' cannot be compacted and kept in remote storage both: of {TopicConfigs.CleanupPolicy.Name}=compact and {Setting}=true choose one."
        : TopicName.IsInternal(topic) ? $"'{topic}' is one of the brokers' own topics, which stay on their disks."
        : RefuseLocal(tiering)
        ?? (hasStore ? null
        : $"{Setting} needs a remote store: start the brokers with --config {BrokerConfigs.RemoteStorageDirectory.Name}=DIR, or name a blob container.");

    // Nothing that is not in the store may go before its time; Kafka has the same rule.
    private static string? RefuseLocal(TieringOptions tiering) =>
        tiering.IsCopyDisabled && (tiering.LocalRetentionMs != tiering.RetentionMs || tiering.LocalRetentionBytes != tiering.RetentionBytes)
            ? $"With {TopicConfigs.RemoteCopyDisable.Name}=true {TopicConfigs.LocalRetentionMs.Name} and {TopicConfigs.LocalRetentionBytes.Name} are to be -2, or the same as "
                + $"{TopicConfigs.RetentionMs.Name} and {TopicConfigs.RetentionBytes.Name}: what is not stored is kept on the disk as long as any of it."
            : null;
}
