namespace OrleansLog.Client;

/// <summary>How a consumer fetches, commits and takes part in its group. Immutable: derive a variant with <c>with</c>.</summary>
public sealed record ConsumerOptions
{
    /// <summary>The consumer group; null for a consumer that assigns its partitions by hand and commits nothing.</summary>
    public string? GroupId { get; init; }

    /// <summary>
    /// A name that keeps this member's partitions over a restart (static membership, KIP-345): no rebalance when it
    /// returns within <see cref="SessionTimeoutMs"/>. Unique within the group.
    /// </summary>
    public string? GroupInstanceId { get; init; }

    /// <summary>
    /// Who shares out the group's partitions. <see cref="GroupProtocol.Classic"/> by default, which every broker speaks;
    /// prefer <see cref="GroupProtocol.Consumer"/> where all brokers speak it. <see cref="Assignors"/>,
    /// <see cref="SessionTimeoutMs"/> and <see cref="HeartbeatIntervalMs"/> are the classic protocol's; in the other
    /// the brokers decide.
    /// </summary>
    public GroupProtocol Protocol { get; init; } = GroupProtocol.Classic;

    /// <summary>
    /// How the coordinator is asked to share out partitions in <see cref="GroupProtocol.Consumer"/>: <c>uniform</c> or
    /// <c>range</c>, or what else the brokers have; null leaves it to them.
    /// </summary>
    public string? ServerAssignor { get; init; }

    /// <summary>Who commits positions, and when.</summary>
    public CommitMode Commit { get; init; } = CommitMode.AutoAtLeastOnce;

    /// <summary>How often <see cref="CommitMode.AutoAtLeastOnce"/> commits, in milliseconds.</summary>
    public int AutoCommitIntervalMs { get; init; } = 5_000;

    /// <summary>Where to begin when the group has committed nothing, or when a position no longer exists.</summary>
    public OffsetReset OffsetReset { get; init; } = OffsetReset.Latest;

    /// <summary>
    /// Ways to share out partitions, in order of preference; the group uses one that all its members know. A group
    /// that moves from <see cref="Assignors.Range"/> to <see cref="Assignors.CooperativeSticky"/> lists both first.
    /// </summary>
    public IReadOnlyList<IPartitionAssignor> Assignors { get; init; } = [Client.Assignors.Range, Client.Assignors.CooperativeSticky];

    /// <summary>Without a heartbeat for this many milliseconds the coordinator takes a member for dead.</summary>
    public int SessionTimeoutMs { get; init; } = 45_000;

    /// <summary>The time between two heartbeats, in milliseconds; at most a third of the session timeout.</summary>
    public int HeartbeatIntervalMs { get; init; } = 3_000;

    /// <summary>
    /// How long the application may take between two records (or batches), in milliseconds. One that takes longer
    /// leaves the group, so that others take over, and joins again with its next read.
    /// </summary>
    public int PollIntervalMsMax { get; init; } = 300_000;

    /// <summary>Whether records of transactions are handed out before, or although never, they are committed.</summary>
    public IsolationLevel IsolationLevel { get; init; } = IsolationLevel.ReadUncommitted;

    /// <summary>How long a broker may hold back a fetch while it has less than <see cref="FetchBytesMin"/>, in milliseconds.</summary>
    public int FetchWaitMsMax { get; init; } = 500;

    /// <summary>A fetch is answered when so many bytes are there.</summary>
    public int FetchBytesMin { get; init; } = 1;

    /// <summary>The most bytes of one fetch response; a single larger batch still comes whole.</summary>
    public int FetchBytesMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>The most bytes of one partition in a fetch response; a single larger batch still comes whole.</summary>
    public int PartitionFetchBytesMax { get; init; } = 2 * 1024 * 1024;

    /// <summary>Fetching pauses while so many bytes wait for the application.</summary>
    public long PrefetchBytesMax { get; init; } = 32 * 1024 * 1024;

    /// <summary>The largest size that one compressed batch may unpack to, in bytes.</summary>
    public int DecompressedBatchBytesMax { get; init; } = 128 * 1024 * 1024;

    /// <summary>Whether the CRC of every batch is checked. It costs little; without it a damaged batch may be read as if it were whole.</summary>
    public bool CheckCrcs { get; init; } = true;

    /// <summary>
    /// Where this consumer runs, as the brokers' <c>broker.rack</c> says it (Kafka's <c>client.rack</c>). A leader may
    /// then name a replica of that rack to read from (KIP-392), which is followed for
    /// <see cref="ClientOptions.MetadataAgeMsMax"/>; on any error reading goes back to the leader. Assignors may use it
    /// too (KIP-881).
    /// </summary>
    public string? Rack { get; init; }
}

/// <summary>What a consumer sees of transactions (KIP-98). The numbers are the protocol's.</summary>
public enum IsolationLevel : byte
{
    /// <summary>Every record, also of transactions that are open or were aborted.</summary>
    ReadUncommitted = 0,

    /// <summary>
    /// The records of committed transactions, and those that belong to none; nothing that comes after the first record of an
    /// open transaction until that has ended.
    /// </summary>
    ReadCommitted = 1,
}
