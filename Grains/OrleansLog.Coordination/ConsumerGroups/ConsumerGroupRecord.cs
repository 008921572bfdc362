using System.Collections.Immutable;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>A change of one consumer group, with Kafka's key and value.</summary>
internal abstract class ConsumerGroupRecord(string group) : StateRecord
{
    public string Group => group;

    /// <summary>Whether the record takes something away; such a record never begins a group.</summary>
    public abstract bool IsTombstone { get; }

    /// <summary>The state that the record makes of another.</summary>
    public abstract ConsumerGroupState Apply(ConsumerGroupState state);

    private protected CoordinatorRecord Encode(short kind, IMessage? value) =>
        Encode(VersionedCodec.Write(new ConsumerGroupKey { Group = group }, kind), value);

    private protected CoordinatorRecord Encode(short kind, string part, IMessage? value) =>
        Encode(VersionedCodec.Write(new ConsumerGroupPartKey { Group = group, Part = part }, kind), value);

    private static CoordinatorRecord Encode(ReadOnlyMemory<byte> key, IMessage? value) =>
        new(key, value is null ? Tombstone : VersionedCodec.Write(value, ConsumerGroupValues.Version, isFlexible: true));
}

/// <summary>The group has come to an epoch, or (null) is no more.</summary>
internal sealed class GroupEpochRecord(string group, int? epoch) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => epoch is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) => state with { Epoch = epoch };

    public override CoordinatorRecord Encode() =>
        Encode(ConsumerGroupKeys.Epoch, epoch is { } value ? new ConsumerGroupValues.Epoch { Value = value } : null);
}

/// <summary>The targets are those of an epoch, or (null) are no more.</summary>
internal sealed class TargetEpochRecord(string group, int? epoch) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => epoch is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) => state with { AssignmentEpoch = epoch };

    public override CoordinatorRecord Encode() =>
        Encode(ConsumerGroupKeys.TargetEpoch, epoch is { } value ? new ConsumerGroupValues.Epoch { Value = value } : null);
}

/// <summary>The topics that the group reads, or (null) that it is no more.</summary>
internal sealed class GroupTopicsRecord(string group, ImmutableSortedDictionary<string, SubscribedTopic>? topics) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => topics is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) =>
        state with { Topics = topics ?? ConsumerGroupState.None.Topics };

    public override CoordinatorRecord Encode() => Encode(ConsumerGroupKeys.Topics, topics is null ? null : new ConsumerGroupValues.Topics
    {
        Entries = [.. topics.Select(topic => new ConsumerGroupValues.Topic
        {
            TopicId = topic.Value.Id,
            TopicName = topic.Key,
            PartitionCount = topic.Value.PartitionCount,
        })],
    });
}

/// <summary>The topics that an expression matches, or (null) that no member uses it.</summary>
internal sealed class PatternRecord(string group, string pattern, ImmutableSortedSet<string>? topics, long nowMs) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => topics is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) => state with
    {
        Patterns = topics is null ? state.Patterns.Remove(pattern) : state.Patterns.SetItem(pattern, topics),
    };

    public override CoordinatorRecord Encode() => Encode(ConsumerGroupKeys.Pattern, pattern, topics is null ? null : new ConsumerGroupValues.Pattern
    {
        Topics = [.. topics],
        Timestamp = nowMs,
    });
}

/// <summary>Who a member is and what it would like, or (null) that it is no more.</summary>
internal sealed class MemberSubscriptionRecord(string group, string memberId, MemberSubscription? subscription) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => subscription is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) =>
        subscription is null ? state.Without(memberId) : state.WithSubscription(memberId, subscription);

    public override CoordinatorRecord Encode() =>
        Encode(ConsumerGroupKeys.MemberSubscription, memberId, subscription is null ? null : ToValue(subscription));

    private static ConsumerGroupValues.MemberSubscription ToValue(MemberSubscription subscription) => new()
    {
        InstanceId = subscription.InstanceId,
        RackId = subscription.RackId,
        ClientId = subscription.ClientId,
        ClientHost = subscription.ClientHost,
        Topics = [.. subscription.Topics],
        Pattern = subscription.Pattern,
        RebalanceTimeoutMs = subscription.RebalanceTimeoutMs,
        Assignor = subscription.Assignor,
        Classic = subscription.Classic is not { } classic ? null : new ConsumerGroupValues.Classic
        {
            SessionTimeoutMs = classic.SessionTimeoutMs,
            Protocols = [.. classic.Protocols.Select(protocol => new ConsumerGroupValues.Protocol { Name = protocol.Name, Metadata = protocol.Metadata })],
        },
    };

    public static MemberSubscription From(ConsumerGroupValues.MemberSubscription value) => new()
    {
        InstanceId = value.InstanceId,
        RackId = value.RackId,
        ClientId = value.ClientId,
        ClientHost = value.ClientHost,
        Topics = ConsumerGroupState.NoNames.Union(value.Topics),
        Pattern = value.Pattern,
        RebalanceTimeoutMs = value.RebalanceTimeoutMs,
        Assignor = value.Assignor,
        Classic = value.Classic is not { } classic ? null : new ClassicTraits(
            classic.SessionTimeoutMs,
            [.. classic.Protocols.Select(protocol => new MemberProtocol(protocol.Name, protocol.Metadata))]),
    };
}

/// <summary>What a member is to read in the end, or (null) that it is no more.</summary>
internal sealed class TargetRecord(string group, string memberId, PartitionSet? target) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => target is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) => state with
    {
        Targets = target is null ? state.Targets.Remove(memberId) : state.Targets.SetItem(memberId, target),
    };

    public override CoordinatorRecord Encode() => Encode(
        ConsumerGroupKeys.Target, memberId, target is null ? null : new ConsumerGroupValues.Target { Partitions = PartitionLists.ToValue(target) });
}

/// <summary>What a member has, or (null) that it has nothing.</summary>
internal sealed class MemberAssignmentRecord(string group, string memberId, MemberAssignment? assignment) : ConsumerGroupRecord(group)
{
    public override bool IsTombstone => assignment is null;

    public override ConsumerGroupState Apply(ConsumerGroupState state) =>
        assignment is null ? state.WithoutAssignment(memberId) : state.WithAssignment(memberId, assignment);

    public override CoordinatorRecord Encode() => Encode(
        ConsumerGroupKeys.MemberAssignment, memberId, assignment is null ? null : new ConsumerGroupValues.MemberAssignment
        {
            MemberEpoch = assignment.Epoch,
            PreviousMemberEpoch = assignment.PreviousEpoch,
            State = (sbyte)assignment.State,
            Assigned = PartitionLists.ToValue(assignment.Assigned),
            PendingRevocation = PartitionLists.ToValue(assignment.PendingRevocation),
        });

    public static MemberAssignment From(ConsumerGroupValues.MemberAssignment value) => new()
    {
        Epoch = value.MemberEpoch,
        PreviousEpoch = value.PreviousMemberEpoch,
        State = (MemberState)value.State,
        Assigned = PartitionLists.From(value.Assigned),
        PendingRevocation = PartitionLists.From(value.PendingRevocation),
    };
}
