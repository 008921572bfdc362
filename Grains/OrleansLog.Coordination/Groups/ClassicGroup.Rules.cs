using OrleansLog.Coordination.Records;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <content>Who may do what, and which protocol is chosen.</content>
internal sealed partial class ClassicGroup
{
    /// <summary>Whether this id is a member, and the one that stands for its instance id (KIP-345).</summary>
    public ErrorCode ValidateMember(string memberId, string? instanceId)
    {
        if (instanceId is not null)
        {
            if (MemberOfInstance(instanceId) is not { } present)
                return ErrorCode.UnknownMemberId;
            if (present != memberId)
                return ErrorCode.FencedInstanceId;
        }
        return _members.ContainsKey(memberId) ? ErrorCode.None : ErrorCode.UnknownMemberId;
    }

    public ErrorCode ValidateMember(string memberId, string? instanceId, int generation)
    {
        var error = ValidateMember(memberId, instanceId);
        return error == ErrorCode.None && generation != Generation ? ErrorCode.IllegalGeneration : error;
    }

    public override ErrorCode ValidateCommit(string memberId, string? instanceId, int generation)
    {
        // A consumer that assigns to itself, or a tool, commits without being a member.
        if (generation < 0 && IsEmpty)
            return ErrorCode.None;
        if (generation < 0 && memberId.Length == 0 && instanceId is null)
            return ErrorCode.UnknownMemberId;
        var error = ValidateMember(memberId, instanceId, generation);
        return error == ErrorCode.None && State == ClassicGroupState.CompletingRebalance
            ? ErrorCode.RebalanceInProgress
            : error;
    }

    public override ErrorCode ValidateOffsetDelete() =>
        IsEmpty || ProtocolType == ConsumerProtocol.Type ? ErrorCode.None : ErrorCode.NonEmptyGroup;

    public override bool IsSubscribedTo(string topic) =>
        _topics?.Contains(topic) ?? (ProtocolType == ConsumerProtocol.Type && !IsEmpty);

    public override long? RetentionStartMs(in CommittedOffset offset)
    {
        if (ProtocolType is null)
            return offset.CommitTimestampMs;
        if (IsEmpty)
            return StateTimestampMs < 0 ? offset.CommitTimestampMs : StateTimestampMs;
        return State == ClassicGroupState.Stable && _topics is not null ? offset.CommitTimestampMs : null;
    }

    /// <summary>Whether a member with these protocols can follow the others in at least one.</summary>
    public bool Supports(string protocolType, List<JoinGroupRequest.JoinGroupRequestProtocol> protocols)
    {
        if (IsEmpty || _members.Count == 0)
            return protocolType.Length > 0 && protocols.Count > 0;
        return ProtocolType == protocolType
            && protocols.Exists(protocol => _members.Values.All(member => Follows(member, protocol.Name)));
    }

    /// <summary>Of the protocols that all members follow, the one that most of them like best.</summary>
    public string SelectProtocol()
    {
        var votes = new OrderedDictionary<string, int>();
        var candidates = CommonProtocols();
        foreach (var member in _members.Values)
        {
            var vote = member.Protocols.Find(protocol => candidates.Contains(protocol.Name)).Name;
            votes[vote] = votes.GetValueOrDefault(vote) + 1;
        }
        return votes.MaxBy(vote => vote.Value).Key;
    }

    private HashSet<string> CommonProtocols()
    {
        var common = _members.GetAt(0).Value.Protocols.Select(protocol => protocol.Name).ToHashSet();
        foreach (var member in _members.Values)
            common.IntersectWith(member.Protocols.Select(protocol => protocol.Name));
        return common;
    }

    private static bool Follows(ClassicMember member, string protocol) =>
        member.Protocols.Exists(candidate => candidate.Name == protocol);
}
