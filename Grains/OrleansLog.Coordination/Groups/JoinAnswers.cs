using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <summary>The answers to a join that are not plain errors.</summary>
internal static class JoinAnswers
{
    /// <summary>The present generation; its leader is told the members, to assign to them.</summary>
    public static JoinGroupResponse Joined(ClassicGroup group, ClassicMember member) => new()
    {
        GenerationId = group.Generation,
        ProtocolType = group.ProtocolType,
        ProtocolName = group.Protocol,
        Leader = group.LeaderId ?? "",
        MemberId = member.Id,
        Members = group.IsLeader(member.Id) ? MembersOf(group) : [],
    };

    /// <summary>The member is to join again with the id that it has been given (KIP-394).</summary>
    public static JoinGroupResponse MemberIdRequired(string memberId, short version) => new()
    {
        ErrorCode = ErrorCode.MemberIdRequired,
        MemberId = memberId,
        ProtocolName = version >= 7 ? null : "",
    };

    /// <summary>
    /// A restarted static member goes on where it was. A restarted leader must not assign anew: from version 9 on it
    /// is told so (KIP-814); before, it is told that its former self leads.
    /// </summary>
    public static JoinGroupResponse Restarted(ClassicGroup group, ClassicMember member, string? formerLeader, short version)
    {
        var answer = Joined(group, member);
        if (version >= 9)
        {
            answer.SkipAssignment = group.IsLeader(member.Id);
            return answer;
        }
        answer.Leader = formerLeader ?? "";
        answer.Members = [];
        return answer;
    }

    private static List<JoinGroupResponse.JoinGroupResponseMember> MembersOf(ClassicGroup group) =>
        [.. group.Members.Select(member => new JoinGroupResponse.JoinGroupResponseMember
        {
            MemberId = member.Id,
            GroupInstanceId = member.InstanceId,
            Metadata = member.MetadataFor(group.Protocol),
        })];
}
