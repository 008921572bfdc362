namespace OrleansLog.Broker.Configuration;

/// <summary>
/// The configs of a topic: Kafka 4's names, units and defaults, but for <see cref="FlushMessages"/>. What a topic does not
/// set, the broker config named as its synonym supplies. All of them may be changed while the broker runs.
/// </summary>
public static class TopicConfigs
{
    /// <summary>The largest batch that can be configured: 100 MiB and room for the batch's own fields and keys.</summary>
    public const int MaxMessageBytesLimit = 101 * 1024 * 1024;

    private const long Hour = 3_600_000;
    private const long Day = 24 * Hour;
    private const string KeptForLater = "Accepted and kept, but without effect in this release";

    public static readonly ConfigDefinition<IReadOnlyList<string>> CleanupPolicy = Topic(
        Define.List("cleanup.policy", "delete", ["delete", "compact"],
            "What happens to old records: delete removes segments by age and size, compact keeps the last record of each key, and both "
            + "do both. A topic that is compacted takes no records without a key, and cannot be kept in remote storage."),
        "log.cleanup.policy");

    public static readonly ConfigDefinition<string> CompressionType = Topic(
        Define.OneOf("compression.type", "producer", ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"],
            $"How batches are compressed in the log. {KeptForLater}: batches stay as their producer compressed them."),
        "compression.type");

    public static readonly ConfigDefinition<long> DeleteRetentionMs = Topic(
        Define.Long("delete.retention.ms", Day, 0,
            "How long, in milliseconds, compaction keeps the tombstone of a deleted key, for those who read the topic from its start."),
        "log.cleaner.delete.retention.ms");

    public static readonly ConfigDefinition<long> FileDeleteDelayMs = Topic(
        Define.Long("file.delete.delay.ms", 60_000, 0,
            "How long, in milliseconds, the files of a removed segment stay for those who are reading them."),
        "log.segment.delete.delay.ms");

    public static readonly ConfigDefinition<long> FlushMessages = Topic(
        Define.Long("flush.messages", 1, 1,
            "Flush to disk at the latest after this many records. 1, the default, means that a record is on disk before it is "
            + "acknowledged; many acknowledgements share one flush. Apache Kafka's default is 9223372036854775807: never."),
        "log.flush.interval.messages");

    public static readonly ConfigDefinition<long> FlushMs = Topic(
        Define.Long("flush.ms", long.MaxValue, 0,
            "Flush to disk when the oldest unflushed record is this old, in milliseconds. Matters where flush.messages is above 1."),
        new ConfigSynonym("log.flush.interval.ms"), new("log.flush.scheduler.interval.ms"));

    public static readonly ConfigDefinition<int> IndexIntervalBytes = Topic(
        Define.Int("index.interval.bytes", 4096, 1,
            "An entry is added to a segment's index each time this many bytes of batches were appended."),
        "log.index.interval.bytes");

    public static readonly ConfigDefinition<long> MaxCompactionLagMs = Topic(
        Define.Long("max.compaction.lag.ms", long.MaxValue, 1,
            "A record is compacted at the latest when it is this old, in milliseconds, whatever min.cleanable.dirty.ratio says. "
            + "The active segment is not compacted: it is as old as this at most, if something is appended at all."),
        "log.cleaner.max.compaction.lag.ms");

    public static readonly ConfigDefinition<int> MaxMessageBytes = Topic(
        Define.Int("max.message.bytes", 1_048_588, 0,
            "The largest batch that is accepted, in bytes as it travels, compressed if it is. A batch near 100 MiB also needs a "
            + "larger socket.request.max.bytes.", MaxMessageBytesLimit),
        "message.max.bytes");

    public static readonly ConfigDefinition<string> MessageTimestampType = Topic(
        Define.OneOf("message.timestamp.type", "CreateTime", ["CreateTime", "LogAppendTime"],
            "Whose time a record carries: the producer's (CreateTime) or the broker's when it appended (LogAppendTime)."),
        "log.message.timestamp.type");

    public static readonly ConfigDefinition<long> MessageTimestampBeforeMaxMs = Topic(
        Define.Long("message.timestamp.before.max.ms", long.MaxValue, 0,
            "How far, in milliseconds, a producer's timestamp may lie before the broker's time."),
        "log.message.timestamp.before.max.ms");

    public static readonly ConfigDefinition<long> MessageTimestampAfterMaxMs = Topic(
        Define.Long("message.timestamp.after.max.ms", Hour, 0,
            "How far, in milliseconds, a producer's timestamp may lie after the broker's time."),
        "log.message.timestamp.after.max.ms");

    public static readonly ConfigDefinition<double> MinCleanableDirtyRatio = Topic(
        Define.Double("min.cleanable.dirty.ratio", 0.5, 0, 1,
            "Compaction starts when this share of the log is not compacted yet."),
        "log.cleaner.min.cleanable.ratio");

    public static readonly ConfigDefinition<long> MinCompactionLagMs = Topic(
        Define.Long("min.compaction.lag.ms", 0, 0,
            "A record is not compacted before it is this old, in milliseconds."),
        "log.cleaner.min.compaction.lag.ms");

    public static readonly ConfigDefinition<int> MinInSyncReplicas = Topic(
        Define.Int("min.insync.replicas", 1, 1,
            "With acks=all, refuse to append while fewer replicas than this are in sync."),
        "min.insync.replicas");

    public static readonly ConfigDefinition<bool> Preallocate = Topic(
        Define.Boolean("preallocate", false, $"Reserve the whole file of a new segment on disk. {KeptForLater}."),
        "log.preallocate");

    public static readonly ConfigDefinition<long> RetentionBytes = Topic(
        Define.Long("retention.bytes", -1, -1,
            "How many bytes one partition keeps before its oldest segments are removed; -1 for no limit."),
        "log.retention.bytes");

    public static readonly ConfigDefinition<long> RetentionMs = Topic(
        Define.Long("retention.ms", 7 * Day, -1, "How long, in milliseconds, a segment is kept after its newest record; -1 for ever."),
        new ConfigSynonym("log.retention.ms"), new("log.retention.minutes", 60_000), new("log.retention.hours", Hour));

    public static readonly ConfigDefinition<int> SegmentBytes = Topic(
        Define.Int("segment.bytes", 1 << 30, 1 << 20, "The size in bytes at which a new segment file begins."),
        "log.segment.bytes");

    public static readonly ConfigDefinition<int> SegmentIndexBytes = Topic(
        Define.Int("segment.index.bytes", 10 << 20, 4,
            $"The size in bytes to which a segment's index may grow. {KeptForLater}: an index grows with its segment."),
        "log.index.size.max.bytes");

    public static readonly ConfigDefinition<long> SegmentJitterMs = Topic(
        Define.Long("segment.jitter.ms", 0, 0,
            $"Taken off segment.ms at random, in milliseconds, so that segments do not all roll at once. {KeptForLater}."),
        "log.roll.jitter.ms");

    public static readonly ConfigDefinition<long> SegmentMs = Topic(
        Define.Long("segment.ms", 7 * Day, 1, "The age in milliseconds at which a new segment begins even if the present one is not full."),
        new ConfigSynonym("log.roll.ms"), new("log.roll.hours", Hour));

    public static readonly ConfigDefinition<bool> UncleanLeaderElectionEnable = Topic(
        Define.Boolean("unclean.leader.election.enable", false,
            "Let a replica that is not in sync lead when no other can, at the price of records."),
        "unclean.leader.election.enable");

    public static readonly ConfigDefinition<bool> RemoteStorageEnable = Topic(
        Define.Boolean("remote.storage.enable", false,
            "Keep sealed segments in the brokers' remote store as well, from where they are read once they are no longer on the disk. "
            + "To switch it off and delete what is there, set remote.log.delete.on.disable too; to keep that and store no more, set remote.copy.disable instead."));

    public static readonly ConfigDefinition<bool> RemoteCopyDisable = Topic(
        Define.Boolean("remote.copy.disable", false,
            "Put no more segments into the remote store. What is there is read on, until retention deletes it; what is not stays on the disk until then."));

    public static readonly ConfigDefinition<bool> RemoteLogDeleteOnDisable = Topic(
        Define.Boolean("remote.log.delete.on.disable", false,
            "With remote.storage.enable=false: delete what the remote store has of the topic, which then begins where it begins on the disk."));

    public static readonly ConfigDefinition<long> LocalRetentionBytes = Topic(
        Define.Long("local.retention.bytes", -2, -2,
            "How many bytes of one partition stay on the disk of what is in the remote store; -2 for retention.bytes, -1 for no limit."),
        "log.local.retention.bytes");

    public static readonly ConfigDefinition<long> LocalRetentionMs = Topic(
        Define.Long("local.retention.ms", -2, -2,
            "How long, in milliseconds, segments that are in the remote store stay on the disk; -2 for retention.ms, -1 for ever."),
        "log.local.retention.ms");

    /// <summary>Every topic config, and the check that a request to set one passes.</summary>
    public static ConfigCatalogue All { get; } = new("topic",
    [
        CleanupPolicy, CompressionType, DeleteRetentionMs, FileDeleteDelayMs, FlushMessages, FlushMs, IndexIntervalBytes,
        MaxCompactionLagMs, MaxMessageBytes, MessageTimestampType, MessageTimestampBeforeMaxMs, MessageTimestampAfterMaxMs,
        MinCleanableDirtyRatio, MinCompactionLagMs, MinInSyncReplicas, Preallocate, RetentionBytes, RetentionMs, SegmentBytes,
        SegmentIndexBytes, SegmentJitterMs, SegmentMs, UncleanLeaderElectionEnable, RemoteStorageEnable, RemoteCopyDisable,
        RemoteLogDeleteOnDisable, LocalRetentionBytes,
        LocalRetentionMs,
    ]);

    private static ConfigDefinition<T> Topic<T>(ConfigDefinition<T> definition, params ConfigSynonym[] synonyms) =>
        definition.Dynamic(synonyms);

    private static ConfigDefinition<T> Topic<T>(ConfigDefinition<T> definition, string synonym) =>
        definition.Dynamic(new ConfigSynonym(synonym));
}
