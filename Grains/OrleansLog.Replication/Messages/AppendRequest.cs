using OrleansLog.Protocol;

namespace OrleansLog.Replication.Messages;

/// <summary>
/// A leader's append to one follower. Without records it asks whether the logs agree up to <see cref="From"/>, and
/// carries the high watermark. Log matching is Raft's (Ongaro and Ousterhout, "In Search of an Understandable Consensus
/// Algorithm", section 5.3), with batches for entries.
/// </summary>
public sealed record AppendRequest
{
    public required TopicPartition Partition { get; init; }

    /// <summary>Which topic of that name: an append that outlived its topic must not reach the next one.</summary>
    public Guid TopicId { get; init; }

    /// <summary>The sender.</summary>
    public required BrokerId Leader { get; init; }

    /// <summary>The leadership under which it sends; a follower refuses a lower one than it has seen.</summary>
    public required LeaderEpoch LeaderEpoch { get; init; }

    /// <summary>The last leadership that an unclean election gave.</summary>
    public required LeaderEpoch UncleanEpoch { get; init; }

    /// <summary>
    /// Where <see cref="Records"/> begin. Before <see cref="LogStartOffset"/> only when that lies amid the first batch.
    /// </summary>
    public required Offset From { get; init; }

    /// <summary>The epoch of the record before <see cref="From"/>; none at the start of the log.</summary>
    public required LeaderEpoch PreviousEpoch { get; init; }

    /// <summary>The first offset that the leader still has; all before it is committed and deleted, here as there.</summary>
    public Offset LogStartOffset { get; init; } = Offset.Zero;

    /// <summary>
    /// Where the leader's log ended when it sent this; none if it does not say. What a follower has from there on it did not
    /// get from this leader.
    /// </summary>
    public Offset LogEndOffset { get; init; } = Offset.None;

    /// <summary>
    /// Before here the leader's log may lack tombstones, and ends of transactions, that compaction has removed: a follower whose
    /// log ends earlier still has what those deleted, and must begin anew.
    /// </summary>
    public Offset TombstonesGoneBefore { get; init; } = Offset.Zero;

    /// <summary>Everything below is committed.</summary>
    public required Offset HighWatermark { get; init; }

    /// <summary>Whole batches as they lie in the leader's log. Only to be read, until the request is answered.</summary>
    public ReadOnlyMemory<byte> Records { get; init; }
}
