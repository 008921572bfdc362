using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination;

/// <content>The classic group protocol: joining, syncing, staying, leaving.</content>
public sealed partial class GroupCoordinator
{
    /// <summary>Answers when the group has gathered its members, which can take as long as the rebalance time-out.</summary>
    public Task<JoinGroupResponse> JoinGroupAsync(CallContext context, JoinGroupRequest request)
    {
        var error = Validate(request);
        return error == ErrorCode.None
            ? RouteAsync(context, request.GroupId, (shard, reply, now) => shard.JoinGroup(context, request, reply, now), Refuse)
            : Task.FromResult(Refuse(error));

        JoinGroupResponse Refuse(ErrorCode refused) => new()
        {
            ErrorCode = CoordinatorErrors.ForGroups(refused),
            MemberId = request.MemberId,
            ProtocolName = context.ApiVersion >= 7 ? null : "",
        };
    }

    /// <summary>Answers when the group's leader has handed in the assignment and it is committed.</summary>
    public Task<SyncGroupResponse> SyncGroupAsync(CallContext context, SyncGroupRequest request)
    {
        var error = Validate(context, request);
        return error == ErrorCode.None
            ? RouteAsync(context, request.GroupId, (shard, reply, now) => shard.SyncGroup(request, reply, now), Refuse)
            : Task.FromResult(Refuse(error));

        static SyncGroupResponse Refuse(ErrorCode refused) =>
            new() { ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }

    /// <summary>Keeps a member's session alive and says whether the group rebalances.</summary>
    public Task<HeartbeatResponse> HeartbeatAsync(CallContext context, HeartbeatRequest request)
    {
        var error = ValidateGroupId(request.GroupId);
        return error == ErrorCode.None
            ? RouteAsync(context, request.GroupId, (shard, _, now) => shard.Heartbeat(request, now), Refuse)
            : Task.FromResult(Refuse(error));

        // While the group loads, its sessions do not run: the member does well to go on.
        static HeartbeatResponse Refuse(ErrorCode refused) => new()
        {
            ErrorCode = refused == ErrorCode.CoordinatorLoadInProgress ? ErrorCode.None : CoordinatorErrors.ForGroups(refused),
        };
    }

    /// <summary>Takes members out of their group.</summary>
    public Task<LeaveGroupResponse> LeaveGroupAsync(CallContext context, LeaveGroupRequest request)
    {
        var error = ValidateGroupId(request.GroupId);
        return error == ErrorCode.None
            ? RouteAsync(context, request.GroupId, (shard, _, now) => shard.LeaveGroup(context, request, now), Refuse)
            : Task.FromResult(Refuse(error));

        static LeaveGroupResponse Refuse(ErrorCode refused) =>
            new() { ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }

    private ErrorCode Validate(JoinGroupRequest request)
    {
        var error = ValidateGroupId(request.GroupId);
        if (error != ErrorCode.None)
            return error;
        if (request.SessionTimeoutMs < options.MinSessionTimeoutMs || request.SessionTimeoutMs > options.MaxSessionTimeoutMs)
            return ErrorCode.InvalidSessionTimeout;
        if (request.GroupInstanceId == "" || IsTooLong(request.GroupInstanceId) || IsTooLong(request.ProtocolType)
            || request.Protocols.Exists(protocol => IsTooLong(protocol.Name)))
            return ErrorCode.InvalidRequest;
        return ErrorCode.None;
    }

    /// <summary>From version 5 on, clients say which protocol they follow (KIP-559).</summary>
    private ErrorCode Validate(CallContext context, SyncGroupRequest request)
    {
        var error = ValidateGroupId(request.GroupId);
        return error == ErrorCode.None && context.ApiVersion >= 5 && (request.ProtocolType is null || request.ProtocolName is null)
            ? ErrorCode.InconsistentGroupProtocol
            : error;
    }

    private ErrorCode ValidateGroupId(string groupId) =>
        groupId.Length == 0 || IsTooLong(groupId) ? ErrorCode.InvalidGroupId : ErrorCode.None;
}
