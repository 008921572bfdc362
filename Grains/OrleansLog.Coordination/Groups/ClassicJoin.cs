using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <summary>Lets members into classic groups, and back in.</summary>
internal sealed class ClassicJoin(GroupOptions options, GroupStore store, ClassicRebalance rebalance, Func<Guid> newId)
{
    /// <summary>The first version whose members must come back with the id they are given (KIP-394).</summary>
    private const short MemberIdRequiredVersion = 4;

    /// <summary>How much of a client's id goes into the ids of its members, which must fit into records.</summary>
    private const int ClientIdLengthMax = 255;

    private readonly record struct Call(
        CallContext Context, JoinGroupRequest Request, PendingReply<JoinGroupResponse> Reply, CoordinatorResult Result);

    public CoordinatorResult<JoinGroupResponse> Join(
        CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, long nowMs)
    {
        var result = new CoordinatorResult<JoinGroupResponse>(nowMs);
        var error = Join(new Call(context, request, reply, result));
        if (error != ErrorCode.None)
            result.Refuse(reply, error);
        if (store.Find(request.GroupId) is { } group)
            store.DropIfForgettable(group);
        return result;
    }

    private ErrorCode Join(Call call)
    {
        var (request, memberId) = (call.Request, call.Request.MemberId);
        if (memberId.Length > 0 && store.Find(request.GroupId) is null)
            return ErrorCode.UnknownMemberId;
        if (store.GetOrAddClassic(request.GroupId) is not { } group)
            return ErrorCode.InconsistentGroupProtocol;
        if (!HasRoomFor(group, memberId))
            return TurnAway(call, group);
        if (!group.Supports(request.ProtocolType, request.Protocols))
            return ErrorCode.InconsistentGroupProtocol;
        return memberId.Length == 0 ? JoinNew(call, group) : JoinAgain(call, group);
    }

    /// <summary>
    /// While a group gathers, those who have joined count, not those who were members before: so a group that is over
    /// its size shrinks by whoever comes last.
    /// </summary>
    private bool HasRoomFor(ClassicGroup group, string memberId)
    {
        var member = group.Find(memberId);
        return group.State switch
        {
            ClassicGroupState.PreparingRebalance => member?.Join is not null || group.JoiningCount < options.MaxGroupSize,
            ClassicGroupState.CompletingRebalance or ClassicGroupState.Stable =>
                member is not null || group.MemberCount < options.MaxGroupSize,
            _ => true,
        };
    }

    private ErrorCode TurnAway(Call call, ClassicGroup group)
    {
        group.PendingJoin.Remove(call.Request.MemberId);
        if (group.Find(call.Request.MemberId) is { } member)
        {
            ClassicRebalance.Remove(call.Result, group, member);
            rebalance.Advance(call.Result, group, "the group is over its size");
        }
        return ErrorCode.GroupMaxSizeReached;
    }

    private ErrorCode JoinNew(Call call, ClassicGroup group)
    {
        var instanceId = call.Request.GroupInstanceId;
        var memberId = $"{instanceId ?? Prefix(call.Context.ClientId)}-{newId()}";
        if (group.MemberOfInstance(instanceId) is { } former)
            return Restart(call, group, group.Find(former)!, memberId);
        return instanceId is null && call.Context.ApiVersion >= MemberIdRequiredVersion
            ? HandOut(call, group, memberId)
            : Add(call, group, memberId);
    }

    private static string Prefix(string clientId) =>
        clientId.Length <= ClientIdLengthMax ? clientId : clientId[..ClientIdLengthMax];

    private ErrorCode HandOut(Call call, ClassicGroup group, string memberId)
    {
        if (group.PendingJoin.Count >= options.MaxPendingMembers)
            return ErrorCode.GroupMaxSizeReached;
        group.PendingJoin.Add(memberId);
        call.Result.SetTimer(ClassicRebalance.SessionTimer(group, memberId), call.Request.SessionTimeoutMs);
        call.Result.Settle(call.Reply, JoinAnswers.MemberIdRequired(memberId, call.Context.ApiVersion));
        return ErrorCode.None;
    }

    private ErrorCode JoinAgain(Call call, ClassicGroup group)
    {
        var request = call.Request;
        if (request.GroupInstanceId is null && group.PendingJoin.Contains(request.MemberId))
            return Add(call, group, request.MemberId);
        var error = group.ValidateMember(request.MemberId, request.GroupInstanceId);
        if (error != ErrorCode.None)
            return error;
        var member = group.Find(request.MemberId)!;
        if (IsNews(group, member, request))
            return Gather(call, group, member, "a member joined again");
        call.Result.Settle(call.Reply, JoinAnswers.Joined(group, member));
        return ErrorCode.None;
    }

    /// <summary>
    /// Whether joining again makes the group rebalance. A member that has only missed the answer is told again; a
    /// leader that joins a stable group wants to assign anew.
    /// </summary>
    private static bool IsNews(ClassicGroup group, ClassicMember member, JoinGroupRequest request) => group.State switch
    {
        ClassicGroupState.CompletingRebalance => !member.Matches(request.Protocols),
        ClassicGroupState.Stable => group.IsLeader(member.Id) || !member.Matches(request.Protocols),
        _ => true,
    };

    private ErrorCode Add(Call call, ClassicGroup group, string memberId)
    {
        var (context, request) = (call.Context, call.Request);
        var member = new ClassicMember(memberId, request.GroupInstanceId, context.ClientId, context.ClientHost) { IsNew = true };
        Update(member, request);
        group.Add(member, request.ProtocolType, call.Reply);
        group.MemberAddedInDelay = true;
        call.Result.SetTimer(ClassicRebalance.SessionTimer(group, memberId), options.NewMemberJoinTimeoutMs);
        rebalance.Advance(call.Result, group, "a member joined");
        return ErrorCode.None;
    }

    private ErrorCode Gather(Call call, ClassicGroup group, ClassicMember member, string reason)
    {
        Update(member, call.Request);
        call.Result.Refuse(member.Join, ErrorCode.RebalanceInProgress);
        group.Park(member, call.Reply);
        rebalance.Advance(call.Result, group, reason);
        return ErrorCode.None;
    }

    /// <summary>
    /// A static member has come back as a new process. Its former self is fenced. In a stable group it goes on with
    /// its assignment, without a rebalance (KIP-345).
    /// </summary>
    private ErrorCode Restart(Call call, ClassicGroup group, ClassicMember former, string memberId)
    {
        var (result, formerLeader) = (call.Result, group.LeaderId);
        result.Refuse(former.Join, ErrorCode.FencedInstanceId);
        result.Refuse(former.Sync, ErrorCode.FencedInstanceId);
        result.CancelTimer(ClassicRebalance.SessionTimer(group, former.Id));
        var member = former.Reborn(memberId, call.Context);
        group.Replace(former, member);
        Update(member, call.Request);
        ClassicRebalance.RestartSession(result, group, member);
        if (group.State != ClassicGroupState.Stable || group.SelectProtocol() != group.Protocol)
            return Gather(call, group, member, "a static member was restarted");
        var assignments = group.Members.ToDictionary(each => each.Id, each => each.Assignment);
        result.Append(new GroupMetadataRecord(group.Id, group.ToStable(assignments, result.NowMs)));
        result.Settle(call.Reply, JoinAnswers.Restarted(group, member, formerLeader, call.Context.ApiVersion));
        return ErrorCode.None;
    }

    private static void Update(ClassicMember member, JoinGroupRequest request)
    {
        member.SessionTimeoutMs = request.SessionTimeoutMs;
        member.RebalanceTimeoutMs = request.RebalanceTimeoutMs < 0 ? request.SessionTimeoutMs : request.RebalanceTimeoutMs;
        // The request's buffer is lent.
        member.Protocols = request.Protocols.ConvertAll(protocol => new MemberProtocol(protocol.Name, protocol.Metadata.ToArray()));
    }
}
