using System.Collections.Immutable;
using OrleansLog.Coordination.Groups;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>How far a member is on the way to its target. The numbers are Kafka's, as they lie in records.</summary>
internal enum MemberState : sbyte
{
    /// <summary>Has its target.</summary>
    Stable = 0,

    /// <summary>Must give partitions up first.</summary>
    Unrevoked = 1,

    /// <summary>Waits for partitions that others have not given up.</summary>
    Unreleased = 2,
}

/// <summary>
/// One member of a consumer group. Immutable: what it wants changes with its requests, what it has with reconciliation.
/// </summary>
internal sealed record ConsumerMember(string Id, MemberSubscription Subscription, MemberAssignment Assignment)
{
    public string? InstanceId => Subscription.InstanceId;

    /// <summary>The session of a member that speaks the classic protocol, or null for others.</summary>
    public ClassicTraits? Classic => Subscription.Classic;

    public int Epoch => Assignment.Epoch;

    public static ConsumerMember New(string id) => new(id, MemberSubscription.None, MemberAssignment.None);
}

/// <summary>Who a member is and what it would like to read.</summary>
internal sealed record MemberSubscription
{
    public static readonly MemberSubscription None = new();

    /// <summary>The name that a static member keeps over restarts, or null.</summary>
    public string? InstanceId { get; init; }

    public string? RackId { get; init; }
    public string ClientId { get; init; } = "";
    public string ClientHost { get; init; } = "";
    public ImmutableSortedSet<string> Topics { get; init; } = ConsumerGroupState.NoNames;

    /// <summary>The expression that matches further topics; null or empty for none.</summary>
    public string? Pattern { get; init; }

    /// <summary>How long the member may take to give partitions up.</summary>
    public int RebalanceTimeoutMs { get; init; } = -1;

    /// <summary>The way of assigning that the member would like, or null.</summary>
    public string? Assignor { get; init; }

    public ClassicTraits? Classic { get; init; }

    public bool Equals(MemberSubscription? other) =>
        other is not null && (InstanceId, RackId, ClientId, ClientHost) == (other.InstanceId, other.RackId, other.ClientId, other.ClientHost)
        && (Pattern, RebalanceTimeoutMs, Assignor) == (other.Pattern, other.RebalanceTimeoutMs, other.Assignor)
        && Topics.SetEquals(other.Topics) && Equals(Classic, other.Classic);

    public override int GetHashCode() => HashCode.Combine(InstanceId, ClientId, Pattern, Topics.Count);
}

/// <summary>What a member of the classic protocol said when it joined.</summary>
internal sealed record ClassicTraits(int SessionTimeoutMs, ImmutableArray<MemberProtocol> Protocols)
{
    /// <summary>The protocol that the member likes best: all of them are assigned on this side, so that any will do.</summary>
    public MemberProtocol Protocol => Protocols[0];

    public bool Equals(ClassicTraits? other) =>
        other is not null && SessionTimeoutMs == other.SessionTimeoutMs && Protocols.Length == other.Protocols.Length
        && Protocols.Zip(other.Protocols).All(pair => pair.First.Name == pair.Second.Name && pair.First.Metadata.Span.SequenceEqual(pair.Second.Metadata.Span));

    public override int GetHashCode() => HashCode.Combine(SessionTimeoutMs, Protocols.Length);
}

/// <summary>What a member has, as of its epoch.</summary>
internal sealed record MemberAssignment
{
    public static readonly MemberAssignment None = new();

    /// <summary>The epoch that the member is expected to name.</summary>
    public int Epoch { get; init; }

    /// <summary>The epoch before it, which a member names that has not heard the last answer.</summary>
    public int PreviousEpoch { get; init; } = -1;

    public MemberState State { get; init; }

    /// <summary>What the member may read.</summary>
    public PartitionSet Assigned { get; init; } = PartitionSet.Empty;

    /// <summary>What the member has still to give up; nobody else gets it before.</summary>
    public PartitionSet PendingRevocation { get; init; } = PartitionSet.Empty;

    /// <summary>Everything that is taken: assigned or not given up yet.</summary>
    public IEnumerable<TopicIdPartition> Owned => Assigned.Concat(PendingRevocation);

    public bool Equals(MemberAssignment? other) =>
        other is not null && (Epoch, PreviousEpoch, State) == (other.Epoch, other.PreviousEpoch, other.State)
        && Assigned.SetEquals(other.Assigned) && PendingRevocation.SetEquals(other.PendingRevocation);

    public override int GetHashCode() => HashCode.Combine(Epoch, PreviousEpoch, State, Assigned.Count, PendingRevocation.Count);
}
