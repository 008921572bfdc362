using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination;

/// <content>The consumer protocol (KIP-848).</content>
public sealed partial class GroupCoordinator
{
    /// <summary>The first version whose members draw their ids themselves (KIP-1082).</summary>
    private const short OwnMemberIdVersion = 1;

    /// <summary>Has a member join, stay in or leave a consumer group, and tells it what to read.</summary>
    public Task<ConsumerGroupHeartbeatResponse> ConsumerGroupHeartbeatAsync(CallContext context, ConsumerGroupHeartbeatRequest request)
    {
        return Refuse(context, request) is { } reason
            ? Task.FromResult(new ConsumerGroupHeartbeatResponse { ErrorCode = ErrorCode.InvalidRequest, ErrorMessage = reason })
            : RouteAsync(context, request.GroupId, (shard, _, now) => shard.ConsumerHeartbeat(context, request, now), Fail);

        static ConsumerGroupHeartbeatResponse Fail(ErrorCode refused) => new() { ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }

    /// <summary>Describes groups of the consumer protocol, in the order asked for.</summary>
    public async Task<ConsumerGroupDescribeResponse> DescribeConsumerGroupsAsync(CallContext context, ConsumerGroupDescribeRequest request)
    {
        var groups = request.GroupIds.ConvertAll(groupId => RouteAsync(
            context, groupId,
            (shard, _, now) => shard.DescribeConsumerGroup(groupId, now),
            error => new ConsumerGroupDescribeResponse.DescribedGroup { GroupId = groupId, ErrorCode = CoordinatorErrors.ForGroups(error) }));
        return new ConsumerGroupDescribeResponse { Groups = [.. await Answers.AllAsync(groups)] };
    }

    private string? Refuse(CallContext context, ConsumerGroupHeartbeatRequest request)
    {
        if (ValidateGroupId(request.GroupId) != ErrorCode.None)
            return "The group id is empty or too long.";
        if (request.InstanceId == "" || request.RackId == "")
            return "An instance id or rack, where there is one, must not be empty.";
        if (IsTooLong(request.MemberId) || IsTooLong(request.InstanceId) || IsTooLong(request.RackId) || request.SubscribedTopicNames?.Exists(IsTooLong) == true)
            return "A name is too long.";
        return request.MemberEpoch switch
        {
            0 => RefuseJoin(context, request),
            > 0 or ConsumerGroupHeartbeatRequest.LeaveEpoch when request.MemberId.Length == 0 => "The member id must not be empty.",
            ConsumerGroupHeartbeatRequest.LeaveStaticEpoch when request.MemberId.Length == 0 || request.InstanceId is null =>
                "A static member that leaves must name its member id and instance id.",
            < ConsumerGroupHeartbeatRequest.LeaveStaticEpoch => $"There is no member epoch {request.MemberEpoch}.",
            _ => null,
        };
    }

    private static string? RefuseJoin(CallContext context, ConsumerGroupHeartbeatRequest request)
    {
        if (request.MemberId.Length == 0 && context.ApiVersion >= OwnMemberIdVersion)
            return "The member id must not be empty.";
        if (request.RebalanceTimeoutMs <= 0)
            return "A member that joins must name its rebalance time-out.";
        if (request.TopicPartitions is not { Count: 0 })
            return "A member that joins must own nothing, and say so.";
        return request.SubscribedTopicNames is not { Count: > 0 } && request.SubscribedTopicRegex is not { Length: > 0 }
            ? "A member that joins must subscribe to topics, by name or by an expression."
            : null;
    }
}
