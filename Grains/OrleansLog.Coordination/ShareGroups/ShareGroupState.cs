using System.Collections.Immutable;
using OrleansLog.Coordination.ConsumerGroups;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>
/// All that is durable of a share group (KIP-932). Immutable: a record makes a new state of it. What each member is to read
/// follows from the members and the topics, and is not stored.
/// </summary>
internal sealed record ShareGroupState
{
    /// <summary>The state of a group of which there is no record.</summary>
    public static readonly ShareGroupState None = new();

    /// <summary>Counts the changes that ask for another assignment; null where there is no record of the group.</summary>
    public int? Epoch { get; init; }

    /// <summary>Stands for the topics that members subscribe to, as they were when the group last looked.</summary>
    public long TopicsHash { get; init; }

    public ImmutableSortedDictionary<string, ShareMember> Members { get; init; } = ImmutableSortedDictionary.Create<string, ShareMember>(StringComparer.Ordinal);

    /// <summary>The topics that the group has a state of at the share coordinators, or is about to have.</summary>
    public ShareTopics Topics { get; init; } = ShareTopics.None;

    /// <summary>Whether nothing is left of the group.</summary>
    public bool IsNone => Epoch is null && Members.IsEmpty && Topics.IsEmpty;

    public ShareMember? Find(string memberId) => Members.GetValueOrDefault(memberId);
}

/// <summary>One member of a share group: what it said when it last said something, and what it was told.</summary>
internal sealed record ShareMember(string Id)
{
    public string? RackId { get; init; }
    public string ClientId { get; init; } = "";
    public string ClientHost { get; init; } = "";
    public ImmutableSortedSet<string> Topics { get; init; } = ConsumerGroupState.NoNames;

    /// <summary>The epoch that the member is expected to name.</summary>
    public int Epoch { get; init; }

    /// <summary>The epoch before it, which a member names that has not heard the last answer.</summary>
    public int PreviousEpoch { get; init; } = -1;

    /// <summary>What the member may read.</summary>
    public PartitionSet Assigned { get; init; } = PartitionSet.Empty;

    public bool SaysTheSame(ShareMember other) =>
        (RackId, ClientId, ClientHost) == (other.RackId, other.ClientId, other.ClientHost) && Topics.SetEquals(other.Topics);
}

/// <summary>
/// How far the states of a group's share-partitions are made: noted before their coordinators are asked, so that none is
/// forgotten whatever happens in between.
/// </summary>
internal sealed record ShareTopics
{
    public static readonly ShareTopics None = new();

    /// <summary>Share-partitions whose state is to be made.</summary>
    public PartitionSet Initializing { get; init; } = PartitionSet.Empty;

    /// <summary>Share-partitions that have a state; members are assigned these.</summary>
    public PartitionSet Initialized { get; init; } = PartitionSet.Empty;

    /// <summary>Share-partitions whose state is to be deleted.</summary>
    public PartitionSet Deleting { get; init; } = PartitionSet.Empty;

    /// <summary>The names of the topics.</summary>
    public ImmutableSortedDictionary<Guid, string> Names { get; init; } = ImmutableSortedDictionary<Guid, string>.Empty;

    public bool IsEmpty => Initializing.IsEmpty && Initialized.IsEmpty && Deleting.IsEmpty;

    /// <summary>All that may have a state.</summary>
    public PartitionSet All => Initialized.Union(Initializing).Union(Deleting);

    public ShareTopics Begin(IEnumerable<TopicIdPartition> partitions, Func<Guid, string> nameOf)
    {
        var added = Initializing.Union(partitions);
        return this with
        {
            Initializing = added,
            Initialized = Initialized.Except(added),
            Names = Names.SetItems(added.Select(each => each.TopicId).Distinct().Select(id => KeyValuePair.Create(id, Names.GetValueOrDefault(id) ?? nameOf(id)))),
        };
    }

    public ShareTopics Begun(IEnumerable<TopicIdPartition> partitions)
    {
        var done = Initializing.Intersect(partitions);
        return this with { Initializing = Initializing.Except(done), Initialized = Initialized.Union(done) };
    }

    public ShareTopics Delete(IEnumerable<TopicIdPartition> partitions)
    {
        var gone = All.Intersect(partitions);
        return this with { Initializing = Initializing.Except(gone), Initialized = Initialized.Except(gone), Deleting = Deleting.Union(gone) };
    }

    public ShareTopics Deleted(IEnumerable<TopicIdPartition> partitions)
    {
        var left = this with { Deleting = Deleting.Except(partitions) };
        var ids = left.All.Select(each => each.TopicId).ToHashSet();
        return left with { Names = Names.RemoveRange(Names.Keys.Where(id => !ids.Contains(id)).ToList()) };
    }

    public bool Equals(ShareTopics? other) =>
        other is not null && Initializing.SetEquals(other.Initializing) && Initialized.SetEquals(other.Initialized) && Deleting.SetEquals(other.Deleting);

    public override int GetHashCode() => HashCode.Combine(Initializing.Count, Initialized.Count, Deleting.Count);
}
