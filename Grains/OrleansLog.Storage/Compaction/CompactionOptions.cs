namespace OrleansLog.Storage.Compaction;

/// <summary>
/// How a log is compacted: of each key the last record stays. Names, units and defaults are those of Kafka's topic configuration
/// (https://kafka.apache.org/documentation/#topicconfigs).
/// </summary>
public sealed record CompactionOptions
{
    /// <summary>Compaction is due when this share of the bytes is not compacted yet (<c>min.cleanable.dirty.ratio</c>).</summary>
    public double MinDirtyRatio { get; init; } = 0.5;

    /// <summary>Records younger than this stay as they are, in milliseconds (<c>min.compaction.lag.ms</c>).</summary>
    public long MinLagMs { get; init; }

    /// <summary>
    /// Records older than this are compacted whatever the ratio, in milliseconds (<c>max.compaction.lag.ms</c>, KIP-354).
    /// Segments roll at this age.
    /// </summary>
    public long MaxLagMs { get; init; } = long.MaxValue;

    /// <summary>
    /// How long the tombstone of a deleted key, or the end of a transaction without records, stays after all before it is
    /// gone, in milliseconds (<c>delete.retention.ms</c>): who reads the log from its start has so long to read it all.
    /// </summary>
    public long DeleteRetentionMs { get; init; } = 24L * 60 * 60 * 1000;
}
