using OrleansLog.Broker.Configuration;
using OrleansLog.Replication;
using OrleansLog.Storage;
using OrleansLog.Storage.Compaction;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Partitions;

/// <summary>What a topic's configuration means for each of its partitions.</summary>
/// <param name="Log">Segments, indexes and flushing.</param>
/// <param name="Replication">What is in sync and what is committed.</param>
/// <param name="BatchBytesMax">The largest batch taken, in bytes (<c>max.message.bytes</c>).</param>
/// <param name="StampsAppendTime">Records get the broker's time (<c>message.timestamp.type=LogAppendTime</c>).</param>
/// <param name="TimestampBeforeMaxMs">How far a record's time may lie behind the broker's, in ms.</param>
/// <param name="TimestampAfterMaxMs">How far a record's time may lie ahead of the broker's, in ms.</param>
/// <param name="NeedsKeys">Records without a key are refused, for the topic is compacted (<c>cleanup.policy</c>).</param>
/// <param name="Tiering">How much is kept where, for a topic whose segments are in remote storage too; null for others.</param>
/// <param name="DropsStored">What remote storage has is to go, for a topic that was kept there (<c>remote.log.delete.on.disable</c>).</param>
public sealed record PartitionSettings(
    LogOptions Log, ReplicationOptions Replication, int BatchBytesMax, bool StampsAppendTime, long TimestampBeforeMaxMs, long TimestampAfterMaxMs,
    TieringOptions? Tiering = null, bool NeedsKeys = false, bool DropsStored = false)
{
    private const int SameAsTotal = -2;

    public static PartitionSettings From(ConfigValues topic) => new(
        new LogOptions
        {
            SegmentBytes = topic.Get(TopicConfigs.SegmentBytes),
            SegmentMs = topic.Get(TopicConfigs.SegmentMs),
            IndexIntervalBytes = topic.Get(TopicConfigs.IndexIntervalBytes),
            FlushMessages = topic.Get(TopicConfigs.FlushMessages),
            FlushMs = topic.Get(TopicConfigs.FlushMs),
            MaxMessageBytes = topic.Get(TopicConfigs.MaxMessageBytes),
            RetentionMs = Deletes(topic) ? topic.Get(TopicConfigs.RetentionMs) : -1,
            RetentionBytes = Deletes(topic) ? topic.Get(TopicConfigs.RetentionBytes) : -1,
            Compaction = Compacts(topic) ? CompactionOf(topic) : null,
            ProducerIdExpirationMs = topic.Get(BrokerConfigs.ProducerIdExpirationMs),
            FileDeleteDelayMs = topic.Get(TopicConfigs.FileDeleteDelayMs),
        },
        new ReplicationOptions
        {
            MinInSyncReplicas = topic.Get(TopicConfigs.MinInSyncReplicas),
            ReplicaLagTimeMaxMs = topic.Get(BrokerConfigs.ReplicaLagTimeMaxMs),
            UncleanLeaderElectionEnable = topic.Get(TopicConfigs.UncleanLeaderElectionEnable),
            CatchUpBytesPerSecond = topic.Get(BrokerConfigs.LeaderReplicationThrottledRate),
            IsFlushedBeforeAcknowledged = topic.Get(TopicConfigs.FlushMessages) == 1,
            IsStoredRemotely = topic.Get(TopicConfigs.RemoteStorageEnable),
        },
        topic.Get(TopicConfigs.MaxMessageBytes),
        topic.Get(TopicConfigs.MessageTimestampType) == "LogAppendTime",
        topic.Get(TopicConfigs.MessageTimestampBeforeMaxMs),
        topic.Get(TopicConfigs.MessageTimestampAfterMaxMs),
        topic.Get(TopicConfigs.RemoteStorageEnable) ? TieringOf(topic) : null,
        Compacts(topic),
        !topic.Get(TopicConfigs.RemoteStorageEnable) && topic.Get(TopicConfigs.RemoteLogDeleteOnDisable));

    // -2 stands for what holds for the store and the disk together (KIP-405).
    private static TieringOptions TieringOf(ConfigValues topic)
    {
        var (totalMs, totalBytes) = Deletes(topic) ? (topic.Get(TopicConfigs.RetentionMs), topic.Get(TopicConfigs.RetentionBytes)) : (-1, -1);
        var (localMs, localBytes) = (topic.Get(TopicConfigs.LocalRetentionMs), topic.Get(TopicConfigs.LocalRetentionBytes));
        return new TieringOptions
        {
            RetentionMs = totalMs,
            RetentionBytes = totalBytes,
            LocalRetentionMs = localMs == SameAsTotal ? totalMs : localMs,
            LocalRetentionBytes = localBytes == SameAsTotal ? totalBytes : localBytes,
            IsCopyDisabled = topic.Get(TopicConfigs.RemoteCopyDisable),
        };
    }

    // What is in remote storage stays as it is, so nothing of it is compacted here either.
    private static CompactionOptions? CompactionOf(ConfigValues topic) => topic.Get(TopicConfigs.RemoteStorageEnable) ? null : new CompactionOptions
    {
        MinDirtyRatio = topic.Get(TopicConfigs.MinCleanableDirtyRatio),
        MinLagMs = topic.Get(TopicConfigs.MinCompactionLagMs),
        MaxLagMs = topic.Get(TopicConfigs.MaxCompactionLagMs),
        DeleteRetentionMs = topic.Get(TopicConfigs.DeleteRetentionMs),
    };

    /// <summary>Whether of each key only the last record stays (<c>cleanup.policy</c>): records without a key are refused then.</summary>
    public static bool Compacts(ConfigValues topic) => topic.Get(TopicConfigs.CleanupPolicy).Contains("compact");

    private static bool Deletes(ConfigValues topic) => topic.Get(TopicConfigs.CleanupPolicy).Contains("delete");
}
