using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.Protocol.Messages.ConsumerGroupHeartbeatRequest;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// The one request of the consumer protocol (KIP-848): a member joins with epoch 0, says what it would like and what it
/// owns, hears what it may read, and leaves with a negative epoch.
/// </summary>
internal sealed class ConsumerHeartbeat(
    GroupOptions options, Func<string, GroupTimings> timingsOf, GroupStore store, ConsumerRebalance rebalance, GroupMigration migration, Func<Guid> newId, ILogger logger)
{
    private readonly record struct Call(CallContext Context, ConsumerGroupHeartbeatRequest Request, ConsumerGroupDraft Draft);

    public CoordinatorResult<ConsumerGroupHeartbeatResponse> Heartbeat(CallContext context, ConsumerGroupHeartbeatRequest request, long nowMs)
    {
        var result = new CoordinatorResult<ConsumerGroupHeartbeatResponse>(nowMs);
        var error = Refuse(request);
        if (error.Error == ErrorCode.None)
            error = request.MemberEpoch < 0 ? Leave(result, request) : Stay(context, request, result);
        // What was decided before the refusal is dropped with its result.
        return error.Error == ErrorCode.None
            ? result
            : new CoordinatorResult<ConsumerGroupHeartbeatResponse>(nowMs).With(
                new ConsumerGroupHeartbeatResponse { ErrorCode = error.Error, ErrorMessage = error.Message });
    }

    private Refusal Refuse(ConsumerGroupHeartbeatRequest request)
    {
        if (request.ServerAssignor is { } assignor && !options.ConsumerAssignors.Contains(assignor))
            return new(ErrorCode.UnsupportedAssignor, $"There is no assignor {assignor}; there are: {string.Join(", ", options.ConsumerAssignors)}.");
        return request.SubscribedTopicRegex is { Length: > 0 } pattern && rebalance.Patterns.Refuse(pattern) is { } reason
            ? new(ErrorCode.InvalidRegularExpression, reason)
            : default;
    }

    private Refusal Stay(CallContext context, ConsumerGroupHeartbeatRequest request, CoordinatorResult<ConsumerGroupHeartbeatResponse> result)
    {
        if (Open(request, result) is not { } draft)
            return new(ErrorCode.GroupIdNotFound, $"There is no consumer group {request.GroupId}.");
        var call = new Call(context, request, draft);
        var owned = PartitionLists.From(request.TopicPartitions);
        var former = request.InstanceId is null ? FindDynamic(call, owned, out var error) : FindStatic(call, owned, out error);
        if (error.Error != ErrorCode.None)
            return error;
        var member = former ?? Join(call);
        var mustBump = Subscribe(call, member);
        var after = rebalance.Advance(draft, member.Id, owned, mustBump);
        result.With(Answer(request, before: former, after));
        return default;
    }

    private ConsumerGroupDraft? Open(ConsumerGroupHeartbeatRequest request, CoordinatorResult result) => store.Find(request.GroupId) switch
    {
        ConsumerGroup group => new ConsumerGroupDraft(group.Id, group.State, result),
        _ when request.MemberEpoch != 0 => null,
        ClassicGroup group => migration.TryUpgrade(group, result),
        ShareGroup { HasMetadata: true } => null,
        _ => new ConsumerGroupDraft(request.GroupId, ConsumerGroupState.None, result),
    };

    private ConsumerMember? FindDynamic(Call call, PartitionSet? owned, out Refusal error)
    {
        var (request, state) = (call.Request, call.Draft.State);
        var member = state.Find(request.MemberId);
        error = member is null ? RefuseNew(call) : RefuseEpoch(request, member, owned);
        return error.Error == ErrorCode.None && member is not null && IsRejoin(request, member) ? Reset(call, member) : member;
    }

    private ConsumerMember? FindStatic(Call call, PartitionSet? owned, out Refusal error)
    {
        var (request, state) = (call.Request, call.Draft.State);
        var member = state.FindInstance(request.InstanceId);
        error = default;
        if (member is null)
            error = request.MemberEpoch > 0 ? new(ErrorCode.UnknownMemberId, $"No member has the instance id {request.InstanceId}.") : RefuseNew(call);
        else if (member.Id == request.MemberId)
            return FindDynamic(call, owned, out error);
        else if (request.MemberEpoch > 0)
            error = new(ErrorCode.FencedInstanceId, $"The instance id {request.InstanceId} is that of another member now.");
        else if (member.Classic is null && member.Epoch != LeaveStaticEpoch)
            error = new(ErrorCode.UnreleasedInstanceId, $"The instance id {request.InstanceId} is that of a member that has not left.");
        return member is not null && error.Error == ErrorCode.None ? Replace(call, member) : null;
    }

    private Refusal RefuseNew(Call call)
    {
        if (call.Request.MemberEpoch != 0)
            return new(ErrorCode.UnknownMemberId, $"Group {call.Request.GroupId} has no member {call.Request.MemberId}.");
        return call.Draft.State.Members.Count >= options.MaxConsumerGroupSize
            ? new(ErrorCode.GroupMaxSizeReached, $"The group has {options.MaxConsumerGroupSize} members, which is the most.")
            : default;
    }

    /// <summary>A member that has not heard the last answer names the epoch before; it cannot own more than it then had.</summary>
    private static Refusal RefuseEpoch(ConsumerGroupHeartbeatRequest request, ConsumerMember member, PartitionSet? owned)
    {
        var (epoch, assignment) = (request.MemberEpoch, member.Assignment);
        var missedAnswer = epoch == assignment.PreviousEpoch && owned is not null && owned.IsSubsetOf(assignment.Assigned);
        return epoch == assignment.Epoch || epoch == 0 || missedAnswer
            ? default
            : new(ErrorCode.FencedMemberEpoch, $"The member is in epoch {assignment.Epoch}, not in {epoch}: it must give up all partitions and join again.");
    }

    private static bool IsRejoin(ConsumerGroupHeartbeatRequest request, ConsumerMember member) =>
        request.MemberEpoch == 0 && member.Epoch != 0 && member.Assignment.PreviousEpoch != 0;

    /// <summary>The member joins again: it owns nothing any more.</summary>
    private static ConsumerMember Reset(Call call, ConsumerMember member)
    {
        call.Draft.Set(member.Id, MemberAssignment.None);
        return call.Draft.State.Find(member.Id)!;
    }

    private ConsumerMember Join(Call call)
    {
        var id = call.Request.MemberId.Length > 0 ? call.Request.MemberId : newId().ToString();
        logger.LogInformation("{Member} joins group {Group}.", id, call.Request.GroupId);
        return ConsumerMember.New(id);
    }

    /// <summary>A static member has come back as a new process, in the place of its former self.</summary>
    private static ConsumerMember Replace(Call call, ConsumerMember former) =>
        ReplaceMember(call.Draft, former, call.Request.MemberId);

    /// <inheritdoc cref="Replace"/>
    public static ConsumerMember ReplaceMember(ConsumerGroupDraft draft, ConsumerMember former, string memberId)
    {
        var target = draft.State.TargetOf(former.Id);
        draft.Write(ConsumerGroup.Tombstones(draft.GroupId, former.Id));
        draft.Result.CancelTimer(ConsumerRebalance.SessionTimer(draft.GroupId, former.Id));
        draft.Write(new MemberSubscriptionRecord(draft.GroupId, memberId, former.Subscription with { Classic = null }));
        draft.Write(new TargetRecord(draft.GroupId, memberId, target));
        draft.Set(memberId, former.Assignment with { Epoch = 0, PreviousEpoch = 0, State = MemberState.Stable, PendingRevocation = PartitionSet.Empty });
        return draft.State.Find(memberId)!;
    }

    /// <summary>Takes over what the request says about the member. Answers whether the group needs a new target for it.</summary>
    private bool Subscribe(Call call, ConsumerMember member)
    {
        var (draft, former) = (call.Draft, member.Subscription);
        var wanted = Subscription(call, former);
        if (wanted.Equals(former) && draft.State.Find(member.Id) is not null)
            return false;
        var assignor = ConsumerGroupDraft.PreferredAssignor(draft.State, options.ConsumerAssignors);
        draft.Write(new MemberSubscriptionRecord(draft.GroupId, member.Id, wanted));
        return !wanted.Topics.SetEquals(former.Topics) || (wanted.Pattern ?? "") != (former.Pattern ?? "")
            || ConsumerGroupDraft.PreferredAssignor(draft.State, options.ConsumerAssignors) != assignor;
    }

    private static MemberSubscription Subscription(Call call, MemberSubscription former)
    {
        var request = call.Request;
        return former with
        {
            InstanceId = request.InstanceId ?? former.InstanceId,
            RackId = request.RackId ?? former.RackId,
            ClientId = call.Context.ClientId,
            ClientHost = call.Context.ClientHost,
            Topics = request.SubscribedTopicNames is { } names ? ConsumerGroupState.NoNames.Union(names) : former.Topics,
            Pattern = request.SubscribedTopicRegex ?? former.Pattern,
            RebalanceTimeoutMs = request.RebalanceTimeoutMs >= 0 ? request.RebalanceTimeoutMs : former.RebalanceTimeoutMs,
            Assignor = request.ServerAssignor ?? former.Assignor,
            Classic = null,
        };
    }

    private Refusal Leave(CoordinatorResult<ConsumerGroupHeartbeatResponse> result, ConsumerGroupHeartbeatRequest request)
    {
        if (store.Find(request.GroupId) is not ConsumerGroup group)
            return new(ErrorCode.GroupIdNotFound, $"There is no consumer group {request.GroupId}.");
        var member = request.InstanceId is null ? group.State.Find(request.MemberId) : group.State.FindInstance(request.InstanceId);
        if (member is null)
            return new(ErrorCode.UnknownMemberId, $"Group {request.GroupId} has no such member.");
        if (member.Id != request.MemberId)
            return new(ErrorCode.FencedInstanceId, $"The instance id {request.InstanceId} is that of another member now.");
        var draft = new ConsumerGroupDraft(group.Id, group.State, result);
        if (request.MemberEpoch == LeaveStaticEpoch)
            StepOut(draft, member);
        else
            rebalance.Remove(draft, [member.Id]);
        result.With(new ConsumerGroupHeartbeatResponse { MemberId = member.Id, MemberEpoch = request.MemberEpoch });
        return default;
    }

    /// <summary>Keeps the member's place until it comes back or its session ends.</summary>
    private static void StepOut(ConsumerGroupDraft draft, ConsumerMember member)
    {
        draft.Result.CancelTimer(ConsumerRebalance.RevocationTimer(draft.GroupId, member.Id));
        draft.Set(member.Id, member.Assignment with
        {
            Epoch = LeaveStaticEpoch,
            PreviousEpoch = LeaveStaticEpoch,
            State = MemberState.Stable,
            PendingRevocation = PartitionSet.Empty,
        });
    }

    /// <summary>The assignment stands in the answer if it changed, or if the member told everything about itself.</summary>
    private ConsumerGroupHeartbeatResponse Answer(ConsumerGroupHeartbeatRequest request, ConsumerMember? before, ConsumerMember after)
    {
        var isFull = request.MemberEpoch == 0
            || (request.RebalanceTimeoutMs >= 0 && request.TopicPartitions is not null && (request.SubscribedTopicNames ?? (object?)request.SubscribedTopicRegex) is not null);
        var hasChanged = before is null || !before.Assignment.Assigned.SetEquals(after.Assignment.Assigned);
        return new ConsumerGroupHeartbeatResponse
        {
            MemberId = after.Id,
            MemberEpoch = after.Epoch,
            HeartbeatIntervalMs = timingsOf(request.GroupId).ConsumerHeartbeatIntervalMs,
            Assignment = isFull || hasChanged
                ? new ConsumerGroupHeartbeat.Assignment { TopicPartitions = PartitionLists.ToMessage(after.Assignment.Assigned) }
                : null,
        };
    }

    private readonly record struct Refusal(ErrorCode Error, string Message);
}
