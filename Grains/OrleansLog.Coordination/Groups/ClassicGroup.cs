using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <summary>
/// A group whose members assign partitions among themselves: the broker gathers them into generations and passes the
/// leader's assignment on.
/// <para>
/// Durable is the last generation that got its assignment (<see cref="Metadata"/>); it changes in
/// <see cref="Install"/> alone. Who is on the way into the next generation is known to this coordinator only, and
/// lost with it: members then simply join again.
/// </para>
/// </summary>
internal sealed partial class ClassicGroup(string id) : Group(id)
{
    /// <summary>In the order of joining, so that all choices repeat.</summary>
    private readonly OrderedDictionary<string, ClassicMember> _members = [];
    private readonly Dictionary<string, string> _memberOfInstance = [];
    private HashSet<string>? _topics;

    /// <summary>The generation as it lies in the log, or null where there is none. Never changed, only replaced.</summary>
    public GroupMetadataValue? Metadata { get; private set; }

    public ClassicGroupState State { get; private set; }

    /// <summary>The state before this one: a rebalance of an empty group waits for more members than are known.</summary>
    public ClassicGroupState PreviousState { get; private set; } = ClassicGroupState.Dead;

    public long StateTimestampMs { get; private set; } = -1;
    public int Generation { get; private set; }

    /// <summary>What the members are to one another (<c>consumer</c>), or null for a group that only stores offsets.</summary>
    public string? ProtocolType { get; private set; }

    public string? Protocol { get; private set; }
    public string? LeaderId { get; private set; }

    /// <summary>Ids that were handed out and whose members have not come back with them yet (KIP-394).</summary>
    public HashSet<string> PendingJoin { get; } = [];

    /// <summary>Members of this generation that have not asked for their assignment yet.</summary>
    public HashSet<string> PendingSync { get; } = [];

    /// <summary>Whether somebody joined since the initial rebalance delay was last extended.</summary>
    public bool MemberAddedInDelay { get; set; }

    /// <summary>How much longer the initial rebalance may be delayed.</summary>
    public int DelayLeftMs { get; set; }

    public override string TypeName => "classic";
    public override string StateName => State.ToString();
    public override string ProtocolTypeName => ProtocolType ?? "";
    public override bool IsEmpty => State == ClassicGroupState.Empty;
    public override bool HasMetadata => Metadata is not null;

    public override bool IsForgettable =>
        Metadata is null && Offsets.Count == 0 && _members.Count == 0 && PendingJoin.Count == 0;

    public int MemberCount => _members.Count;
    public IEnumerable<ClassicMember> Members => _members.Values;

    /// <summary>How many members wait for the answer to their join.</summary>
    public int JoiningCount { get; private set; }

    public bool HasAllMembersJoined => JoiningCount == _members.Count && PendingJoin.Count == 0;

    public int RebalanceTimeoutMs => _members.Count == 0 ? 0 : _members.Values.Max(member => member.RebalanceTimeoutMs);

    public ClassicMember? Find(string memberId) => _members.GetValueOrDefault(memberId);

    public string? MemberOfInstance(string? instanceId) =>
        instanceId is null ? null : _memberOfInstance.GetValueOrDefault(instanceId);

    public bool IsLeader(string memberId) => LeaderId == memberId;

    public void Add(ClassicMember member, string? protocolType, PendingReply<JoinGroupResponse>? join)
    {
        if (_members.Count == 0)
            (ProtocolType, LeaderId) = (protocolType, null);
        PendingJoin.Remove(member.Id);
        _members.Add(member.Id, member);
        if (member.InstanceId is { } instanceId)
            _memberOfInstance[instanceId] = member.Id;
        LeaderId ??= member.Id;
        Park(member, join);
    }

    /// <summary>Sets or clears the join that the member waits for.</summary>
    public void Park(ClassicMember member, PendingReply<JoinGroupResponse>? join)
    {
        JoiningCount += (join is null ? 0 : 1) - (member.Join is null ? 0 : 1);
        member.Join = join;
    }

    public void Remove(ClassicMember member)
    {
        Park(member, null);
        _members.Remove(member.Id);
        PendingSync.Remove(member.Id);
        if (member.InstanceId is { } instanceId)
            _memberOfInstance.Remove(instanceId);
        if (IsLeader(member.Id))
            LeaderId = _members.Count == 0 ? null : _members.GetAt(0).Key;
    }

    /// <summary>Puts a static member's new incarnation into its place.</summary>
    public void Replace(ClassicMember member, ClassicMember reborn)
    {
        Park(member, null);
        var index = _members.IndexOf(member.Id);
        _members.RemoveAt(index);
        _members.Insert(index, reborn.Id, reborn);
        _memberOfInstance[reborn.InstanceId!] = reborn.Id;
        if (PendingSync.Remove(member.Id))
            PendingSync.Add(reborn.Id);
        if (IsLeader(member.Id))
            LeaderId = reborn.Id;
    }

    /// <summary>
    /// If the leader has not joined again, has the first member lead that has. Answers false when none has.
    /// </summary>
    public bool ElectJoinedLeader()
    {
        if (LeaderId is { } leader && Find(leader)?.Join is not null)
            return true;
        LeaderId = _members.Values.FirstOrDefault(member => member.Join is not null)?.Id ?? LeaderId;
        return LeaderId is { } elected && Find(elected)?.Join is not null;
    }

    public void BeginRebalance(long nowMs)
    {
        PendingSync.Clear();
        Enter(ClassicGroupState.PreparingRebalance, nowMs);
    }

    /// <summary>The members are gathered: the next generation waits for its assignment.</summary>
    public void BeginGeneration(long nowMs)
    {
        Generation++;
        Protocol = SelectProtocol();
        _topics = ReadTopics();
        PendingSync.Clear();
        Enter(ClassicGroupState.CompletingRebalance, nowMs);
    }

    /// <summary>Nothing came of the first generation, and nothing of it lies in the log.</summary>
    public void BecomeEmpty(long nowMs)
    {
        LeaderId = null;
        ProtocolType = null;
        Enter(ClassicGroupState.Empty, nowMs);
    }

    /// <summary>
    /// Forgets everything but the offsets and goes back to a generation of the log. Whoever waits for an answer must
    /// have been refused before.
    /// </summary>
    public void Reset(GroupMetadataValue? metadata)
    {
        _members.Clear();
        _memberOfInstance.Clear();
        PendingJoin.Clear();
        PendingSync.Clear();
        JoiningCount = 0;
        Generation = 0;
        Metadata = null;
        (ProtocolType, Protocol, LeaderId, _topics) = (null, null, null, null);
        (State, PreviousState, StateTimestampMs) = (ClassicGroupState.Empty, ClassicGroupState.Dead, -1);
        if (metadata is not null)
            Install(metadata);
    }

    private void Enter(ClassicGroupState state, long nowMs)
    {
        PreviousState = State;
        State = state;
        StateTimestampMs = nowMs;
    }
}
