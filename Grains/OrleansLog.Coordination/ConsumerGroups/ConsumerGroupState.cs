using System.Collections.Immutable;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>A topic that members subscribe to, as it was when the group last looked.</summary>
internal readonly record struct SubscribedTopic(Guid Id, int PartitionCount);

/// <summary>
/// All that is durable of a consumer group (KIP-848). Immutable: a record makes a new state of it, so that a handler
/// can see what its records lead to before they are replayed, and a failed append is taken back by putting the former
/// state in place. All enumerations are in ordinal order, so that all choices repeat.
/// </summary>
internal sealed record ConsumerGroupState
{
    public static readonly ImmutableSortedSet<string> NoNames = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    /// <summary>The state of a group of which there is no record.</summary>
    public static readonly ConsumerGroupState None = new();

    /// <summary>Counts the changes that ask for a new target; null where there is no record of the group.</summary>
    public int? Epoch { get; init; }

    /// <summary>The epoch for which <see cref="Targets"/> was computed; null where there is no record of it.</summary>
    public int? AssignmentEpoch { get; init; }

    /// <summary>The topics that members subscribe to and that exist.</summary>
    public ImmutableSortedDictionary<string, SubscribedTopic> Topics { get; init; } = Empty<SubscribedTopic>();

    public ImmutableSortedDictionary<string, ConsumerMember> Members { get; init; } = Empty<ConsumerMember>();

    /// <summary>What each member is to read in the end.</summary>
    public ImmutableSortedDictionary<string, PartitionSet> Targets { get; init; } = Empty<PartitionSet>();

    /// <summary>The topics that each expression matches.</summary>
    public ImmutableSortedDictionary<string, ImmutableSortedSet<string>> Patterns { get; init; } = Empty<ImmutableSortedSet<string>>();

    /// <summary>Who has which partition. Follows from the members.</summary>
    private ImmutableDictionary<TopicIdPartition, string> Owners { get; init; } = ImmutableDictionary<TopicIdPartition, string>.Empty;

    /// <summary>The static members by their instance ids. Follows from the members.</summary>
    private ImmutableDictionary<string, string> Instances { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Whether nothing is left of the group.</summary>
    public bool IsNone =>
        Epoch is null && AssignmentEpoch is null && Topics.IsEmpty && Members.IsEmpty && Targets.IsEmpty && Patterns.IsEmpty;

    public ConsumerMember? Find(string memberId) => Members.GetValueOrDefault(memberId);

    public ConsumerMember? FindInstance(string? instanceId) =>
        instanceId is not null && Instances.TryGetValue(instanceId, out var id) ? Find(id) : null;

    public PartitionSet TargetOf(string memberId) => Targets.GetValueOrDefault(memberId, PartitionSet.Empty);

    /// <summary>Whether somebody else than the member has the partition.</summary>
    public bool IsTaken(TopicIdPartition partition, string memberId) => Owners.TryGetValue(partition, out var owner) && owner != memberId;

    public ConsumerGroupState WithSubscription(string memberId, MemberSubscription subscription)
    {
        var member = Find(memberId) ?? ConsumerMember.New(memberId);
        return this with
        {
            Members = Members.SetItem(memberId, member with { Subscription = subscription }),
            Instances = subscription.InstanceId is { } instance ? Instances.SetItem(instance, memberId) : Instances,
        };
    }

    public ConsumerGroupState WithAssignment(string memberId, MemberAssignment assignment)
    {
        var member = Find(memberId) ?? ConsumerMember.New(memberId);
        return this with
        {
            Members = Members.SetItem(memberId, member with { Assignment = assignment }),
            Owners = Release(member, assignment).SetItems(assignment.Owned.Select(partition => KeyValuePair.Create(partition, memberId))),
        };
    }

    /// <summary>The member has nothing, and must join again.</summary>
    public ConsumerGroupState WithoutAssignment(string memberId) => Find(memberId) is { } member
        ? this with
        {
            Members = Members.SetItem(memberId, member with { Assignment = MemberAssignment.None }),
            Owners = Release(member, MemberAssignment.None),
        }
        : this;

    public ConsumerGroupState Without(string memberId)
    {
        if (Find(memberId) is not { } member)
            return this;
        var isInstance = member.InstanceId is { } instance && Instances.GetValueOrDefault(instance) == memberId;
        return this with
        {
            Members = Members.Remove(memberId),
            Owners = Release(member, MemberAssignment.None),
            Instances = isInstance ? Instances.Remove(member.InstanceId!) : Instances,
        };
    }

    /// <summary>What the member had and does not have any more is nobody's, unless it is another's already.</summary>
    private ImmutableDictionary<TopicIdPartition, string> Release(ConsumerMember member, MemberAssignment assignment) =>
        Owners.RemoveRange(member.Assignment.Owned.Where(partition =>
            !assignment.Assigned.Contains(partition) && !assignment.PendingRevocation.Contains(partition)
            && Owners.GetValueOrDefault(partition) == member.Id));

    private static ImmutableSortedDictionary<string, T> Empty<T>() => ImmutableSortedDictionary.Create<string, T>(StringComparer.Ordinal);
}
