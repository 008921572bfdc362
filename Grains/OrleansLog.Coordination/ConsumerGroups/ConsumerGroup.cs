using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// A group whose coordinator assigns partitions and brings its members, each at its own pace, to what it assigned them
/// (KIP-848). Members of the classic protocol may be among them while a group moves from one protocol to the other.
/// </summary>
internal sealed class ConsumerGroup(string id) : Group(id)
{
    /// <summary>Durable: changes in replay only.</summary>
    public ConsumerGroupState State { get; set; } = ConsumerGroupState.None;

    /// <summary>The topics that the group has looked at last; with other ones it has to look again.</summary>
    public object? SeenTopics { get; set; }

    public override string TypeName => "consumer";

    public override string StateName => State switch
    {
        { Members.IsEmpty: true } => "Empty",
        _ when State.Epoch != State.AssignmentEpoch => "Assigning",
        _ when State.Members.Values.All(IsReconciled) => "Stable",
        _ => "Reconciling",
    };

    public override string ProtocolTypeName => "consumer";
    public override bool IsEmpty => State.Members.IsEmpty;
    public override bool HasMetadata => !State.IsNone;
    public override bool IsForgettable => State.IsNone && Offsets.Count == 0;

    public override ErrorCode ValidateCommit(string memberId, string? instanceId, int generation) =>
        generation < 0 && IsEmpty ? ErrorCode.None : ValidateMember(memberId, instanceId, generation);

    /// <summary>Whether a member that names itself, which tools do not, may read offsets.</summary>
    public override ErrorCode ValidateFetch(string? memberId, int epoch) =>
        memberId is null && epoch < 0 ? ErrorCode.None : ValidateMember(memberId ?? "", null, epoch);

    public override ErrorCode ValidateOffsetDelete() => ErrorCode.None;

    public override bool IsSubscribedTo(string topic) => State.Topics.ContainsKey(topic) && !IsEmpty;

    public override long? RetentionStartMs(in CommittedOffset offset) => offset.CommitTimestampMs;

    public override bool SpeaksClassic(string memberId) => State.Find(memberId) is not { Classic: null };

    public override IEnumerable<StateRecord> Tombstones() => Tombstones(Id, State);

    /// <summary>The records that leave nothing of the group. What belongs to members goes first, the group itself last.</summary>
    public static IEnumerable<ConsumerGroupRecord> Tombstones(string group, ConsumerGroupState state) =>
    [
        .. state.Members.Keys.SelectMany(id => Tombstones(group, id)),
        .. state.Targets.Keys.Where(id => !state.Members.ContainsKey(id)).Select(id => new TargetRecord(group, id, null)),
        .. state.Patterns.Keys.Select(pattern => new PatternRecord(group, pattern, null, 0)),
        new TargetEpochRecord(group, null),
        new GroupTopicsRecord(group, null),
        new GroupEpochRecord(group, null),
    ];

    /// <summary>The records that leave nothing of a member.</summary>
    public static IEnumerable<ConsumerGroupRecord> Tombstones(string group, string memberId) =>
    [
        new MemberAssignmentRecord(group, memberId, null),
        new TargetRecord(group, memberId, null),
        new MemberSubscriptionRecord(group, memberId, null),
    ];

    private ErrorCode ValidateMember(string memberId, string? instanceId, int epoch)
    {
        var member = instanceId is null ? State.Find(memberId) : State.FindInstance(instanceId);
        if (member is null)
            return ErrorCode.UnknownMemberId;
        if (member.Id != memberId)
            return ErrorCode.FencedInstanceId;
        if (member.Epoch == epoch)
            return ErrorCode.None;
        return member.Classic is null ? ErrorCode.StaleMemberEpoch : ErrorCode.IllegalGeneration;
    }

    private bool IsReconciled(ConsumerMember member) =>
        member.Assignment.State == MemberState.Stable && member.Epoch == State.AssignmentEpoch;
}
