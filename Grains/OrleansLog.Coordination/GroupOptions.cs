using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.ConsumerGroups.Assignors;

namespace OrleansLog.Coordination;

/// <summary>The limits of consumer groups and their committed offsets. Kafka's names stand with each.</summary>
public sealed record GroupOptions
{
    /// <summary>How groups are served that have set nothing of their own.</summary>
    public GroupTimings Timings => new(ConsumerSessionTimeoutMs, ConsumerHeartbeatIntervalMs, ShareSessionTimeoutMs, ShareHeartbeatIntervalMs);

    /// <summary>Partitions of <c>__consumer_offsets</c> (<c>offsets.topic.num.partitions</c>). Never changes once the topic exists.</summary>
    public int PartitionCount { get; init; } = 50;

    /// <summary>
    /// How long the first rebalance of an empty group waits for more members
    /// (<c>group.initial.rebalance.delay.ms</c>). Kafka waits 3 s, which suits a fleet that starts slowly; 100 ms
    /// gathers the consumers that one application starts together and nobody at a keyboard notices it.
    /// 0 does not wait at all.
    /// </summary>
    public int InitialRebalanceDelayMs { get; init; } = 100;

    /// <summary>The shortest session time-out a member may ask for (<c>group.min.session.timeout.ms</c>).</summary>
    public int MinSessionTimeoutMs { get; init; } = 6_000;

    /// <summary>The longest session time-out a member may ask for (<c>group.max.session.timeout.ms</c>).</summary>
    public int MaxSessionTimeoutMs { get; init; } = 1_800_000;

    /// <summary>
    /// How long a member that joined for the first time may wait for its first answer before it is given up: it does
    /// not know its member id yet, and so cannot send heartbeats. Kafka's constant.
    /// </summary>
    public int NewMemberJoinTimeoutMs { get; init; } = 300_000;

    /// <summary>The most members of one group (<c>group.max.size</c>).</summary>
    public int MaxGroupSize { get; init; } = int.MaxValue;

    /// <summary>The most member ids of one group that were handed out and not yet come back with (KIP-394).</summary>
    public int MaxPendingMembers { get; init; } = 10_000;

    /// <summary>How often members of consumer groups are told to be heard of (<c>group.consumer.heartbeat.interval.ms</c>).</summary>
    public int ConsumerHeartbeatIntervalMs { get; init; } = 5_000;

    /// <summary>After which silence a member of a consumer group is given up (<c>group.consumer.session.timeout.ms</c>).</summary>
    public int ConsumerSessionTimeoutMs { get; init; } = 45_000;

    /// <summary>The most members of one consumer group (<c>group.consumer.max.size</c>).</summary>
    public int MaxConsumerGroupSize { get; init; } = int.MaxValue;

    /// <summary>
    /// The ways of assigning that members of consumer groups may ask for, of <see cref="ServerAssignors.Names"/>; the
    /// first is that of groups that ask for none (<c>group.consumer.assignors</c>).
    /// </summary>
    public IReadOnlyList<string> ConsumerAssignors { get; init; } = ServerAssignors.Names;

    /// <summary>Which way groups with members may move between the protocols (<c>group.consumer.migration.policy</c>).</summary>
    public GroupMigrationPolicy MigrationPolicy { get; init; } = GroupMigrationPolicy.Bidirectional;

    /// <summary>How often members of share groups are told to be heard of (<c>group.share.heartbeat.interval.ms</c>).</summary>
    public int ShareHeartbeatIntervalMs { get; init; } = 5_000;

    /// <summary>The same while the states of share-partitions are being made, which does not take long.</summary>
    public int ShareFirstHeartbeatIntervalMs { get; init; } = 200;

    /// <summary>After which silence a member of a share group is given up (<c>group.share.session.timeout.ms</c>).</summary>
    public int ShareSessionTimeoutMs { get; init; } = 45_000;

    /// <summary>The most members of one share group (<c>group.share.max.size</c>).</summary>
    public int MaxShareGroupSize { get; init; } = 200;

    /// <summary>How long the deletion of a share group waits for that of its states.</summary>
    public int ShareDeletionTimeoutMs { get; init; } = 15_000;

    /// <summary>The pause before what share coordinators could not do is asked of them again.</summary>
    public int ShareRetryDelayMs { get; init; } = 100;

    /// <summary>The most characters of an expression that members subscribe with.</summary>
    public int TopicPatternMaxLength { get; init; } = 4_096;

    /// <summary>The most characters of metadata with a committed offset (<c>offset.metadata.max.bytes</c>).</summary>
    public int OffsetMetadataMaxLength { get; init; } = 4_096;

    /// <summary>
    /// How long a committed offset is kept after its group became empty, or after its last commit where the group has
    /// no members by design (<c>offsets.retention.minutes</c>: 7 days).
    /// </summary>
    public long OffsetsRetentionMs { get; init; } = 7L * 24 * 60 * 60 * 1000;

    /// <summary>How often expired offsets are looked for (<c>offsets.retention.check.interval.ms</c>).</summary>
    public int OffsetsRetentionCheckIntervalMs { get; init; } = 600_000;

    /// <summary>
    /// The most bytes (UTF-8) of a group id, instance id or protocol name. Kafka's limit is what the wire can carry;
    /// this one leaves room for what is stored beside it.
    /// </summary>
    public int MaxNameBytes { get; init; } = 8_192;

    /// <summary>The most requests that may wait for their turn at one partition; more are told to try again.</summary>
    public int MaxQueuedRequests { get; init; } = 100_000;

    /// <summary>The most requests decided in one turn, and so behind one append.</summary>
    public int MaxRequestsPerTurn { get; init; } = 1_000;
}
