using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;

namespace OrleansLog.Coordination.Groups;

/// <content>What goes into the log and comes from there.</content>
internal sealed partial class ClassicGroup
{
    /// <summary>This generation with its assignment: the record that makes it stable.</summary>
    public GroupMetadataValue ToStable(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assignments, long nowMs) => new()
    {
        ProtocolType = ProtocolType ?? "",
        Generation = Generation,
        Protocol = Protocol,
        Leader = LeaderId,
        CurrentStateTimestamp = nowMs,
        Members = [.. _members.Values.Select(member =>
            member.ToMetadata(Protocol ?? "", assignments.GetValueOrDefault(member.Id)))],
    };

    /// <summary>The record of a group that has lost its last member.</summary>
    public GroupMetadataValue ToEmpty(long nowMs) => new()
    {
        ProtocolType = ProtocolType ?? "",
        Generation = Generation + 1,
        CurrentStateTimestamp = nowMs,
    };

    public override IEnumerable<StateRecord> Tombstones() => HasMetadata ? [new GroupMetadataRecord(Id, null)] : [];

    /// <summary>
    /// Takes a generation over from the log, or from a record on its way there. Members that are known already keep
    /// what only this coordinator knows of them.
    /// </summary>
    public void Install(GroupMetadataValue value)
    {
        Metadata = value;
        Generation = value.Generation;
        ProtocolType = value.ProtocolType.Length == 0 ? null : value.ProtocolType;
        Protocol = value.Protocol;
        InstallMembers(value);
        LeaderId = value.Leader;
        PreviousState = State;
        State = value.Members.Count == 0 ? ClassicGroupState.Empty : ClassicGroupState.Stable;
        StateTimestampMs = value.CurrentStateTimestamp;
        _topics = ReadTopics();
    }

    private void InstallMembers(GroupMetadataValue value)
    {
        var known = new Dictionary<string, ClassicMember>(_members);
        _members.Clear();
        _memberOfInstance.Clear();
        foreach (var member in value.Members)
        {
            if (!known.TryGetValue(member.MemberId, out var installed) || !IsAsRecorded(installed, member))
                installed = ClassicMember.From(member, value.Protocol ?? "");
            installed.Assignment = member.Assignment;
            _members[installed.Id] = installed;
            if (installed.InstanceId is { } instanceId)
                _memberOfInstance[instanceId] = installed.Id;
        }
        JoiningCount = _members.Values.Count(member => member.Join is not null);
    }

    private bool IsAsRecorded(ClassicMember member, GroupMetadataValue.MemberMetadata recorded) =>
        member.SessionTimeoutMs == recorded.SessionTimeout
        && member.MetadataFor(Protocol).Span.SequenceEqual(recorded.Subscription.Span);

    /// <summary>The topics that consumers of this generation read, or null where that cannot be told.</summary>
    private HashSet<string>? ReadTopics()
    {
        if (ProtocolType != ConsumerProtocol.Type)
            return null;
        var topics = new HashSet<string>();
        foreach (var member in _members.Values)
        {
            if (!ConsumerProtocol.TryReadTopics(member.MetadataFor(Protocol).Span, topics))
                return null;
        }
        return topics;
    }
}
