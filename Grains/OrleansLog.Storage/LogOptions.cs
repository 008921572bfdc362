using OrleansLog.Storage.Compaction;

namespace OrleansLog.Storage;

/// <summary>
/// How one partition's log is kept. Names, units and defaults are those of Kafka's topic configuration
/// (https://kafka.apache.org/documentation/#topicconfigs) but for <see cref="FlushMessages"/>: here what was
/// acknowledged is durable unless a topic asks otherwise.
/// </summary>
public sealed record LogOptions
{
    /// <summary>Rolls a segment before it grows past this many bytes (<c>segment.bytes</c>). At most 2 GiB - 1.</summary>
    public int SegmentBytes { get; init; } = 1 << 30;

    /// <summary>Rolls a segment this long after its first append (<c>segment.ms</c>), at the next append.</summary>
    public long SegmentMs { get; init; } = 7L * 24 * 60 * 60 * 1000;

    /// <summary>Bytes of log between two entries of an index (<c>index.interval.bytes</c>).</summary>
    public int IndexIntervalBytes { get; init; } = 4096;

    /// <summary>
    /// How many records may be acknowledged and not yet flushed, plus one (<c>flush.messages</c>): 1 means durable before
    /// acknowledged, <see cref="long.MaxValue"/> means that acknowledging never waits for a flush.
    /// </summary>
    public long FlushMessages { get; init; } = 1;

    /// <summary>The longest that appended records stay unflushed (<c>flush.ms</c>).</summary>
    public long FlushMs { get; init; } = long.MaxValue;

    /// <summary>The largest record batch (<c>max.message.bytes</c>). Checked by whoever accepts batches.</summary>
    public int MaxMessageBytes { get; init; } = 1024 * 1024 + 12;

    /// <summary>Segments whose newest record is older than this may go (<c>retention.ms</c>); -1 for never.</summary>
    public long RetentionMs { get; init; } = 7L * 24 * 60 * 60 * 1000;

    /// <summary>The oldest segments may go while the log is larger than this (<c>retention.bytes</c>); -1 for no limit.</summary>
    public long RetentionBytes { get; init; } = -1;

    /// <summary>How the log is compacted; null for one that keeps every record (<c>cleanup.policy</c> without <c>compact</c>).</summary>
    public CompactionOptions? Compaction { get; init; }

    /// <summary>How long the bytes of deleted segments stay readable for those who are reading (<c>file.delete.delay.ms</c>).</summary>
    public long FileDeleteDelayMs { get; init; } = 60_000;

    /// <summary>A producer that has appended nothing for so long is forgotten (<c>producer.id.expiration.ms</c>).</summary>
    public long ProducerIdExpirationMs { get; init; } = 24L * 60 * 60 * 1000;

    /// <summary>
    /// After this many appended bytes the log is flushed in the background and its recovery checkpoint moves, so that
    /// recovery never scans more than about twice as much, whatever the flush policy.
    /// </summary>
    public int CheckpointBytes { get; init; } = 64 << 20;
}
