using OrleansLog.Protocol;

namespace OrleansLog.Replication.Messages;

/// <summary>What became of an append to a follower.</summary>
public enum AppendCode
{
    /// <summary>The logs agree up to <see cref="AppendReply.Matched"/>, and the follower holds all of it durably.</summary>
    Accepted,

    /// <summary>The follower has seen a higher epoch; <see cref="AppendReply.LeaderEpoch"/> says which.</summary>
    Fenced,

    /// <summary>The record before the append is another one here; <see cref="AppendReply.Hint"/> says where to try next.</summary>
    Mismatch,

    /// <summary>The records are not what was written: a checksum is wrong, or a leader epoch cannot be at its place.</summary>
    Damaged,

    /// <summary>The follower's disk failed, or it is being repaired. It holds nothing for now.</summary>
    Failed,

    /// <summary>The broker has no such replica (yet).</summary>
    Unknown,
}

/// <summary>A follower's answer to an <see cref="AppendRequest"/>.</summary>
public sealed record AppendReply
{
    public required AppendCode Code { get; init; }

    /// <summary>The highest leader epoch that the follower has seen; durable before it is said.</summary>
    public required LeaderEpoch LeaderEpoch { get; init; }

    /// <summary>Which life of the replica speaks. What an earlier one said no longer counts.</summary>
    public required ReplicaIncarnation Incarnation { get; init; }

    /// <summary>The earliest broker epoch whose progress this replica still has for certain.</summary>
    public required long CleanSince { get; init; }

    /// <summary>Up to where the follower's log is the leader's, durably under the topic's flush policy.</summary>
    public Offset Matched { get; init; } = Offset.Zero;

    /// <summary>
    /// On a mismatch: the latest epoch of the follower's log not above the leader's at that point, and where it ends
    /// (KIP-279).
    /// </summary>
    public Storage.EpochEndOffset Hint { get; init; }
}

/// <summary>
/// One life of a replica: a start of its broker, and how often the replica's log was opened anew since then because its
/// disk had failed it.
/// </summary>
public readonly record struct ReplicaIncarnation(long BrokerEpoch, int Reopened) : IComparable<ReplicaIncarnation>
{
    public int CompareTo(ReplicaIncarnation other) =>
        BrokerEpoch != other.BrokerEpoch ? BrokerEpoch.CompareTo(other.BrokerEpoch) : Reopened.CompareTo(other.Reopened);

    public static bool operator <(ReplicaIncarnation left, ReplicaIncarnation right) => left.CompareTo(right) < 0;
    public static bool operator >(ReplicaIncarnation left, ReplicaIncarnation right) => left.CompareTo(right) > 0;
    public static bool operator <=(ReplicaIncarnation left, ReplicaIncarnation right) => left.CompareTo(right) <= 0;
    public static bool operator >=(ReplicaIncarnation left, ReplicaIncarnation right) => left.CompareTo(right) >= 0;
}
