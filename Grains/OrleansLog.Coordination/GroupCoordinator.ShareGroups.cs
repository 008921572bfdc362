using System.Globalization;
using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination;

/// <content>Share groups (KIP-932): their members.</content>
public sealed partial class GroupCoordinator
{
    /// <summary>The longest id of a member: that of a UUID.</summary>
    private const int ShareMemberIdLengthMax = 36;

    /// <summary>Has a member join, stay in or leave a share group, and tells it what to read.</summary>
    public Task<ShareGroupHeartbeatResponse> ShareGroupHeartbeatAsync(CallContext context, ShareGroupHeartbeatRequest request)
    {
        return Refuse(request) is { } reason
            ? Task.FromResult(new ShareGroupHeartbeatResponse { ErrorCode = ErrorCode.InvalidRequest, ErrorMessage = reason })
            : RouteAsync(context, request.GroupId, (shard, _, now) => shard.ShareHeartbeat(context, request, now), Fail);

        static ShareGroupHeartbeatResponse Fail(ErrorCode refused) => new() { ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }

    /// <summary>Describes share groups, in the order asked for.</summary>
    public async Task<ShareGroupDescribeResponse> DescribeShareGroupsAsync(CallContext context, ShareGroupDescribeRequest request)
    {
        var groups = request.GroupIds.ConvertAll(groupId => RouteAsync(
            context, groupId,
            (shard, _, now) => shard.DescribeShareGroup(groupId, now),
            error => new ShareGroupDescribeResponse.DescribedGroup { GroupId = groupId, ErrorCode = CoordinatorErrors.ForGroups(error) }));
        return new ShareGroupDescribeResponse { Groups = [.. await Answers.AllAsync(groups)] };
    }

    private string? Refuse(ShareGroupHeartbeatRequest request)
    {
        if (ValidateGroupId(request.GroupId) != ErrorCode.None)
            return "The group id is empty or too long.";
        if (request.MemberId.Length is 0 or > ShareMemberIdLengthMax)
            return string.Create(CultureInfo.InvariantCulture, $"The member id must have from 1 to {ShareMemberIdLengthMax} characters.");
        if (request.RackId == "" || IsTooLong(request.RackId) || request.SubscribedTopicNames?.Exists(IsTooLong) == true)
            return "A rack, where there is one, must not be empty, and no name too long.";
        return request.MemberEpoch switch
        {
            0 when request.SubscribedTopicNames is not { Count: > 0 } => "A member that joins must subscribe to topics.",
            _ when request.SubscribedTopicNames is { Count: 0 } => "A member must subscribe to topics.",
            < ShareGroupHeartbeatRequest.LeaveEpoch => string.Create(CultureInfo.InvariantCulture, $"There is no member epoch {request.MemberEpoch}."),
            _ => null,
        };
    }
}
