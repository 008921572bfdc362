using System.Globalization;
using OrleansLog.Coordination.ConsumerGroups.Assignors;

namespace OrleansLog.Broker.Configuration;

/// <summary>
/// The configs of a broker: Kafka 4's names, units and defaults where not said otherwise. They are given at start
/// (<c>--config name=value</c>); those that are not read-only also change while the broker runs. To these come the defaults
/// of every topic config, under the names that Kafka gives them there (<c>log.segment.bytes</c> for <c>segment.bytes</c>).
/// </summary>
public static class BrokerConfigs
{
    private const string ItsDirectory = "--brokers N, which counts them from 0";

    // What start options decide; here for tools that ask.
    public static readonly ConfigDefinition<int> NodeId =
        Define.Int("node.id", 0, 0, "The number by which clients know this broker.").SetBy(ItsDirectory);

    public static readonly ConfigDefinition<int> BrokerId =
        Define.Int("broker.id", 0, 0, "The same as node.id, under its older name.").SetBy(ItsDirectory);

    public static readonly ConfigDefinition<string> LogDirs =
        Define.Text("log.dirs", "./data", "The data directory.").SetBy("--data DIR");

    public static readonly ConfigDefinition<string> Listeners =
        Define.Text("listeners", "PLAINTEXT://127.0.0.1:9092", "Where the broker listens for Kafka clients.")
            .SetBy("--host HOST and --kafka-port N");

    public static readonly ConfigDefinition<string> AdvertisedListeners =
        Define.Text("advertised.listeners", null, "The address that the broker tells clients to use.").SetBy("--advertised-host HOST");

    public static readonly ConfigDefinition<string> BrokerRack =
        Define.Text("broker.rack", null, "Where the broker stands: replicas are spread over racks (KIP-36).").SetBy("--racks RACK,...");

    // Topics.
    public static readonly ConfigDefinition<bool> AutoCreateTopicsEnable =
        Define.Boolean("auto.create.topics.enable", true, "Create a topic when a producer or consumer first names it.");

    public static readonly ConfigDefinition<bool> DeleteTopicEnable =
        Define.Boolean("delete.topic.enable", true, "Let clients delete topics.");

    public static readonly ConfigDefinition<int> NumPartitions =
        Define.Int("num.partitions", 1, 1, "The partitions of a topic whose creator does not say.");

    public static readonly ConfigDefinition<int> DefaultReplicationFactor =
        Define.Int("default.replication.factor", 1, 1, "The replicas of a partition whose topic's creator does not say.");

    // Replication.
    public static readonly ConfigDefinition<long> ReplicaLagTimeMaxMs =
        Define.Long("replica.lag.time.max.ms", 30_000, 1,
            "A follower that has not held everything for this long, in milliseconds, leaves the in-sync set.");

    public static readonly ConfigDefinition<int> BrokerSessionTimeoutMs =
        Define.Int("broker.session.timeout.ms", 2_000, 100,
            "A broker that has not been heard of for this long, in milliseconds, is taken for dead, and others lead in its place. "
            + "Apache Kafka's default is 9000.");

    public static readonly ConfigDefinition<bool> AutoLeaderRebalanceEnable =
        Define.Boolean("auto.leader.rebalance.enable", true, "Give partitions back to their preferred leaders once those are in sync again.");

    public static readonly ConfigDefinition<int> LeaderImbalanceCheckIntervalSeconds =
        Define.Int("leader.imbalance.check.interval.seconds", 300, 1, "How often, in seconds, preferred leaders are looked at.");

    public static readonly ConfigDefinition<long> ReplicaRestoreDelayMs =
        Define.Long("replica.restore.delay.ms", 1_800_000, -1,
            "When a broker has been away for this long, in milliseconds, its replicas are made anew on other brokers. -1 for never, "
            + "which is what Apache Kafka does.");

    public static readonly ConfigDefinition<long> LeaderReplicationThrottledRate =
        Define.Long("leader.replication.throttled.rate", long.MaxValue, 1,
            "The most bytes a second that a broker sends to followers that catch up. What goes to those at the tail is not counted.");

    // Requests and connections.
    public static readonly ConfigDefinition<int> SocketRequestMaxBytes =
        Define.Int("socket.request.max.bytes", 104_857_600, 1024,
            "The largest request that is read, in bytes; the connection of a larger one is closed.", 512 << 20);

    public static readonly ConfigDefinition<int> MaxConnections =
        Define.Int("max.connections", int.MaxValue, 1, "The client connections that may be open at once.").Dynamic();

    public static readonly ConfigDefinition<long> ConnectionsMaxIdleMs =
        Define.Long("connections.max.idle.ms", 600_000, 1, "A connection that says nothing for this long, in milliseconds, is closed.");

    public static readonly ConfigDefinition<int> FetchMaxBytes =
        Define.Int("fetch.max.bytes", 57_671_680, 1024, "The most bytes that one fetch is answered with, but for a first batch that is larger.");

    // The log.
    public static readonly ConfigDefinition<long> LogRetentionCheckIntervalMs =
        Define.Long("log.retention.check.interval.ms", 300_000, 1, "How often, in milliseconds, segments are looked at for removal.");

    public static readonly ConfigDefinition<long> LogScrubIntervalMs =
        Define.Long("log.scrub.interval.ms", 604_800_000, -1,
            "How often, in milliseconds, everything on the disk is read and checked against its CRCs, so that what has changed there is "
            + "repaired from other replicas in time. -1 for never, which is what Apache Kafka does.");

    public static readonly ConfigDefinition<long> LogScrubMaxBytesPerSecond =
        Define.Long("log.scrub.max.bytes.per.second", 16 << 20, 1, "The most bytes that are read for it in a second.");

    // Compaction.
    public static readonly ConfigDefinition<bool> LogCleanerEnable =
        Define.Boolean("log.cleaner.enable", true,
            "Compact topics with cleanup.policy=compact, the brokers' own among them, which grow without end otherwise.");

    public static readonly ConfigDefinition<long> LogCleanerBackoffMs =
        Define.Long("log.cleaner.backoff.ms", 15_000, 1, "How long, in milliseconds, the cleaner rests when there is nothing to compact.", int.MaxValue);

    public static readonly ConfigDefinition<long> LogCleanerDedupeBufferSize =
        Define.Long("log.cleaner.dedupe.buffer.size", 134_217_728, 1 << 20,
            "The most memory for the keys of what is compacted at once, in bytes: 14 for each. A log with more new keys takes several "
            + "passes. No more is taken than a log needs.");

    public static readonly ConfigDefinition<double> LogCleanerIoMaxBytesPerSecond =
        Define.Double("log.cleaner.io.max.bytes.per.second", double.MaxValue, 1, double.MaxValue, "The most bytes that the cleaner reads and writes in a second.");

    public static readonly ConfigDefinition<int> LogCleanerThreads =
        Define.Int("log.cleaner.threads", 1, 1, "How many logs a broker compacts side by side; they share log.cleaner.dedupe.buffer.size.");

    // Remote storage.
    public static readonly ConfigDefinition<string> RemoteStorageDirectory =
        Define.Text("remote.storage.directory", null,
            "The remote store of topics with remote.storage.enable: a directory that every broker reaches under this name, on a network file system say.");

    public static readonly ConfigDefinition<long> RemoteLogManagerTaskIntervalMs =
        Define.Long("remote.log.manager.task.interval.ms", 30_000, 1, "How often, in milliseconds, sealed segments are looked for to be uploaded.");

    public static readonly ConfigDefinition<long> RemoteStorageCacheMaxBytes =
        Define.Long("remote.storage.cache.max.bytes", 1L << 30, 0, "How much of what was fetched from the remote store more than once a broker keeps on its disk, in bytes.");

    public static readonly ConfigDefinition<long> RemoteStorageMemoryMaxBytes =
        Define.Long("remote.storage.memory.max.bytes", 128 << 20, 1 << 20,
            "How much of what is being read from the remote store, and fetched ahead of its readers, a broker keeps in memory, in bytes, for all readers together.");

    public static readonly ConfigDefinition<long> RemoteStorageBacklogMaxBytes =
        Define.Long("remote.storage.backlog.max.bytes", long.MaxValue, 1,
            "How many bytes of the partitions that a broker leads may wait on its disk for a remote store that is away; beyond that it takes no more records for them.");

    public static readonly ConfigDefinition<long> RemoteStorageBackupIntervalMs =
        Define.Long("remote.storage.backup.interval.ms", 10_000, 1,
            "How often, in milliseconds, committed offsets of groups are written to the remote store, where 'olog restore' finds them. Topics are within a second.");

    public static readonly ConfigDefinition<long> RemoteLogManagerCopyMaxBytesPerSecond =
        Define.Long("remote.log.manager.copy.max.bytes.per.second", long.MaxValue, 1, "The most bytes of segments that a broker writes to the remote store in a second.");

    public static readonly ConfigDefinition<long> RemoteLogManagerFetchMaxBytesPerSecond =
        Define.Long("remote.log.manager.fetch.max.bytes.per.second", long.MaxValue, 1,
            "The most bytes of segments that a broker reads from the remote store in a second, for consumers and to check what it wrote.");

    // Producers.
    public static readonly ConfigDefinition<int> ProducerIdExpirationMs =
        Define.Int("producer.id.expiration.ms", 86_400_000, 1,
            "An idempotent producer that has written nothing to a partition for this long, in milliseconds, is forgotten there.");

    // Transactions.
    public static readonly ConfigDefinition<int> TransactionStateLogNumPartitions =
        Define.Int("transaction.state.log.num.partitions", 50, 1, "The partitions of __transaction_state. Fixed once that topic exists.");

    public static readonly ConfigDefinition<int> TransactionStateLogReplicationFactor =
        Define.Int("transaction.state.log.replication.factor", 3, 1,
            "The replicas of each partition of __transaction_state; as many as there are brokers where there are fewer.");

    public static readonly ConfigDefinition<int> TransactionStateLogSegmentBytes =
        Define.Int("transaction.state.log.segment.bytes", 104_857_600, 1 << 20, "The size in bytes of a segment of __transaction_state.");

    public static readonly ConfigDefinition<int> TransactionMaxTimeoutMs =
        Define.Int("transaction.max.timeout.ms", 900_000, 1, "The longest that a producer may ask for a transaction to stay open, in milliseconds.");

    public static readonly ConfigDefinition<int> TransactionalIdExpirationMs =
        Define.Int("transactional.id.expiration.ms", 604_800_000, 1, "A transactional id that was not used for this long, in milliseconds, is forgotten.");

    public static readonly ConfigDefinition<int> TransactionalIdCleanupIntervalMs =
        Define.Int("transaction.remove.expired.transaction.cleanup.interval.ms", 3_600_000, 1,
            "How often, in milliseconds, transactional ids are looked at for removal.");

    // Groups.
    public static readonly ConfigDefinition<int> OffsetsTopicNumPartitions =
        Define.Int("offsets.topic.num.partitions", 50, 1, "The partitions of __consumer_offsets. Fixed once that topic exists.");

    public static readonly ConfigDefinition<int> OffsetsTopicReplicationFactor =
        Define.Int("offsets.topic.replication.factor", 3, 1,
            "The replicas of each partition of __consumer_offsets; as many as there are brokers where there are fewer.");

    public static readonly ConfigDefinition<int> OffsetsTopicSegmentBytes =
        Define.Int("offsets.topic.segment.bytes", 104_857_600, 1 << 20, "The size in bytes of a segment of __consumer_offsets.");

    public static readonly ConfigDefinition<int> OffsetsRetentionMinutes =
        Define.Int("offsets.retention.minutes", 10_080, 1, "How long, in minutes, the offsets of a group without members are kept.");

    public static readonly ConfigDefinition<long> OffsetsRetentionCheckIntervalMs =
        Define.Long("offsets.retention.check.interval.ms", 600_000, 1, "How often, in milliseconds, offsets are looked at for removal.", int.MaxValue);

    public static readonly ConfigDefinition<int> OffsetMetadataMaxBytes =
        Define.Int("offset.metadata.max.bytes", 4096, 0, "The longest note that a client may store with a committed offset, in bytes.");

    public static readonly ConfigDefinition<int> GroupMinSessionTimeoutMs =
        Define.Int("group.min.session.timeout.ms", 6_000, 1, "The shortest session timeout that a group member may ask for, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupMaxSessionTimeoutMs =
        Define.Int("group.max.session.timeout.ms", 1_800_000, 1, "The longest session timeout that a group member may ask for, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupInitialRebalanceDelayMs =
        Define.Int("group.initial.rebalance.delay.ms", 100, 0,
            "How long, in milliseconds, an empty group waits for more members before its first rebalance. 0 for none. Apache "
            + "Kafka's default is 3000, which suits a fleet that starts slowly; 100 gathers what one application starts together.");

    public static readonly ConfigDefinition<int> GroupMaxSize =
        Define.Int("group.max.size", int.MaxValue, 1, "The members that one group may have.");

    public static readonly ConfigDefinition<int> GroupConsumerHeartbeatIntervalMs =
        Define.Int("group.consumer.heartbeat.interval.ms", 5_000, 1, "How often, in milliseconds, members of consumer groups (KIP-848) are told to be heard of.");

    public static readonly ConfigDefinition<int> GroupConsumerSessionTimeoutMs =
        Define.Int("group.consumer.session.timeout.ms", 45_000, 1, "After how long a silence, in milliseconds, a member of a consumer group (KIP-848) is given up.");

    public static readonly ConfigDefinition<int> GroupConsumerMinSessionTimeoutMs =
        Define.Int("group.consumer.min.session.timeout.ms", 45_000, 1, "The shortest session time-out that a consumer group (KIP-848) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupConsumerMaxSessionTimeoutMs =
        Define.Int("group.consumer.max.session.timeout.ms", 60_000, 1, "The longest session time-out that a consumer group (KIP-848) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupConsumerMinHeartbeatIntervalMs =
        Define.Int("group.consumer.min.heartbeat.interval.ms", 5_000, 1, "The shortest heartbeat interval that a consumer group (KIP-848) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupConsumerMaxHeartbeatIntervalMs =
        Define.Int("group.consumer.max.heartbeat.interval.ms", 15_000, 1, "The longest heartbeat interval that a consumer group (KIP-848) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupConsumerMaxSize =
        Define.Int("group.consumer.max.size", int.MaxValue, 1, "The members that one consumer group (KIP-848) may have.");

    public static readonly ConfigDefinition<IReadOnlyList<string>> GroupConsumerAssignors =
        Define.List("group.consumer.assignors", string.Join(',', ServerAssignors.Names), [.. ServerAssignors.Names],
            "The ways of assigning that members of consumer groups (KIP-848) may ask for; the first is that of groups that ask for none.");

    public static readonly ConfigDefinition<string> GroupConsumerMigrationPolicy =
        Define.OneOf("group.consumer.migration.policy", "bidirectional", ["disabled", "upgrade", "downgrade", "bidirectional"],
            "Which way groups with members may move between the classic protocol and the consumer protocol (KIP-848).");

    // Share groups.
    public static readonly ConfigDefinition<int> GroupShareHeartbeatIntervalMs =
        Define.Int("group.share.heartbeat.interval.ms", 5_000, 1, "How often, in milliseconds, members of share groups (KIP-932) are told to be heard of.");

    public static readonly ConfigDefinition<int> GroupShareSessionTimeoutMs =
        Define.Int("group.share.session.timeout.ms", 45_000, 1, "After how long a silence, in milliseconds, a member of a share group is given up.");

    public static readonly ConfigDefinition<int> GroupShareMinSessionTimeoutMs =
        Define.Int("group.share.min.session.timeout.ms", 45_000, 1, "The shortest session time-out that a share group (KIP-932) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupShareMaxSessionTimeoutMs =
        Define.Int("group.share.max.session.timeout.ms", 60_000, 1, "The longest session time-out that a share group (KIP-932) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupShareMinHeartbeatIntervalMs =
        Define.Int("group.share.min.heartbeat.interval.ms", 5_000, 1, "The shortest heartbeat interval that a share group (KIP-932) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupShareMaxHeartbeatIntervalMs =
        Define.Int("group.share.max.heartbeat.interval.ms", 15_000, 1, "The longest heartbeat interval that a share group (KIP-932) may set for itself, in milliseconds.");

    public static readonly ConfigDefinition<int> GroupShareMaxSize =
        Define.Int("group.share.max.size", 200, 1, "The members that one share group may have.", 1_000);

    public static readonly ConfigDefinition<int> GroupShareMaxShareSessions =
        Define.Int("group.share.max.share.sessions", 2_000, 1, "The members of share groups that one broker serves at a time.");

    public static readonly ConfigDefinition<int> GroupShareRecordLockDurationMs =
        Define.Int("group.share.record.lock.duration.ms", 30_000, 1_000,
            "For how long, in milliseconds, a record that was delivered is its member's. A share group may set share.record.lock.duration.ms.", 3_600_000);

    public static readonly ConfigDefinition<int> GroupShareDeliveryCountLimit =
        Define.Int("group.share.delivery.count.limit", 5, 2,
            "How often a record is delivered to a share group before it is given up. A share group may set share.delivery.count.limit.", 10);

    public static readonly ConfigDefinition<int> GroupSharePartitionMaxRecordLocks =
        Define.Int("group.share.partition.max.record.locks", 2_000, 100,
            "How many records of a partition a share group may have between the first that is not dealt with and the last that was delivered. A share "
            + "group may set share.partition.max.record.locks.", 10_000);

    public static readonly ConfigDefinition<int> ShareCoordinatorStateTopicNumPartitions =
        Define.Int("share.coordinator.state.topic.num.partitions", 50, 1, "The partitions of __share_group_state. Fixed once that topic exists.");

    public static readonly ConfigDefinition<int> ShareCoordinatorStateTopicReplicationFactor =
        Define.Int("share.coordinator.state.topic.replication.factor", 3, 1,
            "The replicas of each partition of __share_group_state; as many as there are brokers where there are fewer.");

    public static readonly ConfigDefinition<int> ShareCoordinatorStateTopicSegmentBytes =
        Define.Int("share.coordinator.state.topic.segment.bytes", 104_857_600, 1 << 20, "The size in bytes of a segment of __share_group_state.");

    public static readonly ConfigDefinition<int> ShareCoordinatorSnapshotUpdateRecordsPerSnapshot =
        Define.Int("share.coordinator.snapshot.update.records.per.snapshot", 500, 0,
            "How many changes of a share group's state in a partition are written before all of it is.", 500);

    /// <summary>Every broker config, the brokers' side of the topic configs among them.</summary>
    public static ConfigCatalogue All { get; } = new("broker",
    [
        NodeId, BrokerId, LogDirs, Listeners, AdvertisedListeners, BrokerRack,
        AutoCreateTopicsEnable, DeleteTopicEnable, NumPartitions, DefaultReplicationFactor,
        ReplicaLagTimeMaxMs, BrokerSessionTimeoutMs, AutoLeaderRebalanceEnable, LeaderImbalanceCheckIntervalSeconds, ReplicaRestoreDelayMs,
        LeaderReplicationThrottledRate,
        SocketRequestMaxBytes, MaxConnections, ConnectionsMaxIdleMs, FetchMaxBytes, LogRetentionCheckIntervalMs, LogScrubIntervalMs, LogScrubMaxBytesPerSecond,
        LogCleanerEnable, LogCleanerBackoffMs, LogCleanerDedupeBufferSize, LogCleanerIoMaxBytesPerSecond, LogCleanerThreads,
        RemoteStorageDirectory, RemoteLogManagerTaskIntervalMs, RemoteStorageCacheMaxBytes, RemoteStorageMemoryMaxBytes, RemoteLogManagerCopyMaxBytesPerSecond,
        RemoteLogManagerFetchMaxBytesPerSecond, RemoteStorageBacklogMaxBytes, RemoteStorageBackupIntervalMs,
        ProducerIdExpirationMs,
        TransactionStateLogNumPartitions, TransactionStateLogReplicationFactor, TransactionStateLogSegmentBytes, TransactionMaxTimeoutMs,
        TransactionalIdExpirationMs, TransactionalIdCleanupIntervalMs,
        OffsetsTopicNumPartitions, OffsetsTopicReplicationFactor, OffsetsTopicSegmentBytes, OffsetsRetentionMinutes,
        OffsetsRetentionCheckIntervalMs, OffsetMetadataMaxBytes, GroupMinSessionTimeoutMs, GroupMaxSessionTimeoutMs,
        GroupInitialRebalanceDelayMs, GroupMaxSize,
        GroupConsumerHeartbeatIntervalMs, GroupConsumerSessionTimeoutMs, GroupConsumerMinSessionTimeoutMs, GroupConsumerMaxSessionTimeoutMs,
        GroupConsumerMinHeartbeatIntervalMs, GroupConsumerMaxHeartbeatIntervalMs, GroupShareMinSessionTimeoutMs, GroupShareMaxSessionTimeoutMs,
        GroupShareMinHeartbeatIntervalMs, GroupShareMaxHeartbeatIntervalMs, GroupConsumerMaxSize, GroupConsumerAssignors, GroupConsumerMigrationPolicy,
        GroupShareHeartbeatIntervalMs, GroupShareSessionTimeoutMs, GroupShareMaxSize, GroupShareMaxShareSessions, GroupShareRecordLockDurationMs,
        GroupShareDeliveryCountLimit, GroupSharePartitionMaxRecordLocks,
        ShareCoordinatorStateTopicNumPartitions, ShareCoordinatorStateTopicReplicationFactor, ShareCoordinatorStateTopicSegmentBytes,
        ShareCoordinatorSnapshotUpdateRecordsPerSnapshot,
        .. TopicConfigs.All.Definitions.SelectMany(TopicDefaults),
    ]);

    /// <summary>The broker configs that stand behind one topic config. Only the last of several carries the default.</summary>
    private static IEnumerable<ConfigDefinition> TopicDefaults(ConfigDefinition topic) =>
        topic.Synonyms.Select((synonym, i) => topic.As(
            synonym.Name,
            i == topic.Synonyms.Count - 1 ? Unscaled(topic.DefaultText, synonym.Scale) : null,
            $"The default of {topic.Name} for topics that do not set it{Unit(synonym.Scale)}. {topic.Documentation}"));

    private static string? Unscaled(string? text, long scale) =>
        scale == 1 || text is null ? text : (long.Parse(text, CultureInfo.InvariantCulture) / scale).ToString(CultureInfo.InvariantCulture);

    private static string Unit(long scale) => scale switch { 60_000 => ", here in minutes", 3_600_000 => ", here in hours", _ => "" };
}
