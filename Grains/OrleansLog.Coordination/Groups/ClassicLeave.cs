using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.Protocol.Messages.LeaveGroupRequest;
using static OrleansLog.Protocol.Messages.LeaveGroupResponse;

namespace OrleansLog.Coordination.Groups;

/// <summary>Lets members out of classic groups; an administrator names static ones by their instance id alone.</summary>
internal sealed class ClassicLeave(GroupStore store, ClassicRebalance rebalance)
{
    /// <summary>The first version that names several members.</summary>
    private const short BatchVersion = 3;

    public CoordinatorResult<LeaveGroupResponse> Leave(CallContext context, LeaveGroupRequest request, long nowMs)
    {
        var result = new CoordinatorResult<LeaveGroupResponse>(nowMs);
        if (context.ApiVersion >= BatchVersion)
            return result.With(new LeaveGroupResponse { Members = Leave(result, request.GroupId, request.Members) });
        var answers = Leave(result, request.GroupId, [new MemberIdentity { MemberId = request.MemberId }]);
        return result.With(new LeaveGroupResponse { ErrorCode = answers[0].ErrorCode });
    }

    private List<MemberResponse> Leave(CoordinatorResult result, string groupId, List<MemberIdentity> members)
    {
        var group = store.Find(groupId) as ClassicGroup;
        var answers = members.ConvertAll(identity => new MemberResponse
        {
            MemberId = identity.MemberId,
            GroupInstanceId = identity.GroupInstanceId,
            ErrorCode = group is null ? ErrorCode.UnknownMemberId : Leave(result, group, identity),
        });
        if (group is not null && answers.Exists(answer => answer.ErrorCode == ErrorCode.None))
            AfterLeaving(result, group);
        return answers;
    }

    private static ErrorCode Leave(CoordinatorResult result, ClassicGroup group, MemberIdentity identity)
    {
        var memberId = identity.MemberId.Length == 0 ? group.MemberOfInstance(identity.GroupInstanceId) : identity.MemberId;
        if (memberId is null)
            return ErrorCode.UnknownMemberId;
        if (group.PendingJoin.Remove(memberId))
        {
            result.CancelTimer(ClassicRebalance.SessionTimer(group, memberId));
            return ErrorCode.None;
        }
        var error = group.ValidateMember(memberId, identity.GroupInstanceId);
        if (error == ErrorCode.None)
            ClassicRebalance.Remove(result, group, group.Find(memberId)!);
        return error;
    }

    private void AfterLeaving(CoordinatorResult result, ClassicGroup group)
    {
        if (!group.IsEmpty)
            rebalance.Advance(result, group, "members left");
        store.DropIfForgettable(group);
    }
}
