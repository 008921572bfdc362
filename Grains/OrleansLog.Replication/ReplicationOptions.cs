namespace OrleansLog.Replication;

/// <summary>
/// How one partition is replicated. Those that Kafka has carry its names and meanings
/// (https://kafka.apache.org/documentation/#topicconfigs, #brokerconfigs). Times are in milliseconds.
/// </summary>
public sealed record ReplicationOptions
{
    /// <summary>The smallest in-sync set that commits anything (<c>min.insync.replicas</c>).</summary>
    public int MinInSyncReplicas { get; init; } = 1;

    /// <summary>A follower that has not caught up for this long leaves the in-sync set (<c>replica.lag.time.max.ms</c>).</summary>
    public long ReplicaLagTimeMaxMs { get; init; } = 30_000;

    /// <summary>Whether a replica that may lack committed records may lead (<c>unclean.leader.election.enable</c>).</summary>
    public bool UncleanLeaderElectionEnable { get; init; }

    /// <summary>
    /// Whether the topic flushes before it acknowledges (<c>flush.messages</c> of 1, the default here). A replica that
    /// restarts after a crash, with its disk, then still holds all that it ever acknowledged.
    /// </summary>
    public bool IsFlushedBeforeAcknowledged { get; init; } = true;

    /// <summary>
    /// Whether a remote store has what was committed some time ago (<c>remote.storage.enable</c>): a leader that may lack
    /// records goes on after that, and when all disks are lost one begins there by itself.
    /// </summary>
    public bool IsStoredRemotely { get; init; }

    /// <summary>The most bytes of one append to a follower that is at the tail; a larger batch travels alone.</summary>
    public int AppendBytesMax { get; init; } = 1 << 20;

    /// <summary>The most bytes of one append to a follower that catches up.</summary>
    public int CatchUpBytesMax { get; init; } = 4 << 20;

    /// <summary>A follower further behind than this many records catches up in large batches.</summary>
    public long CatchUpRecords { get; init; } = 10_000;

    /// <summary>
    /// Bytes per second that the broker sends, over all its partitions, to followers that catch up
    /// (<c>leader.replication.throttled.rate</c>).
    /// </summary>
    public long CatchUpBytesPerSecond { get; init; } = long.MaxValue;

    /// <summary>Appends on their way to one follower at once.</summary>
    public int AppendsInFlightMax { get; init; } = 8;

    /// <summary>Bytes on their way to one follower at once.</summary>
    public int BytesInFlightMax { get; init; } = 8 << 20;

    /// <summary>An append that is not answered in this time is taken for lost.</summary>
    public long AppendTimeoutMs { get; init; } = 5_000;

    /// <summary>The pause before a follower that did not answer or could not append is tried again.</summary>
    public long RetryDelayMs { get; init; } = 100;

    /// <summary>How long a high watermark waits for an append to ride on before it is sent on its own.</summary>
    public long IdleHighWatermarkDelayMs { get; init; } = 20;

    /// <summary>The pause before a write to the metadata register whose outcome is unknown is tried again.</summary>
    public long RegisterRetryDelayMs { get; init; } = 100;

    /// <summary>
    /// How much longer each candidate waits than the one before it before it takes over a partition without a leader.
    /// </summary>
    public long ElectionStaggerMs { get; init; } = 300;

    /// <summary>Appends that wait for their commit in one partition; more are refused.</summary>
    public int WaitingAppendsMax { get; init; } = 10_000;
}
