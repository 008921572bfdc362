using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;
using static OrleansLog.Protocol.Messages.LeaveGroupRequest;
using static OrleansLog.Protocol.Messages.LeaveGroupResponse;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// The requests of the classic protocol from members of a consumer group. A join is answered at once with the epoch as
/// its generation, and leads nobody; a sync brings what the coordinator has assigned; a heartbeat tells when to join
/// again.
/// </summary>
internal sealed class ClassicMembers(
    GroupOptions options, ConsumerRebalance rebalance, GroupMigration migration, ITopicDirectory topics, Func<Guid> newId)
{
    /// <summary>The first version whose members must come back with the id they are given (KIP-394).</summary>
    private const short MemberIdRequiredVersion = 4;

    public CoordinatorResult<JoinGroupResponse> Join(
        ConsumerGroup group, CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, long nowMs)
    {
        var result = new CoordinatorResult<JoinGroupResponse>(nowMs);
        var error = group.IsEmpty ? MakeRoomForClassic(group, result) : Join(group, context, request, reply, result);
        if (error == ErrorCode.None)
            return result;
        var refused = group.IsEmpty ? result : new CoordinatorResult<JoinGroupResponse>(nowMs);
        refused.Refuse(reply, error);
        return refused;
    }

    public CoordinatorResult<SyncGroupResponse> Sync(
        ConsumerGroup group, SyncGroupRequest request, PendingReply<SyncGroupResponse> reply, long nowMs)
    {
        var result = new CoordinatorResult<SyncGroupResponse>(nowMs);
        var error = Validate(group, request.MemberId, request.GroupInstanceId, request.GenerationId, out var member);
        if (error == ErrorCode.None && IsInconsistent(request, member!))
            error = ErrorCode.InconsistentGroupProtocol;
        if (error == ErrorCode.None && group.State.Epoch > member!.Epoch && member.Assignment.State != MemberState.Unrevoked)
            error = CallBack(group, member, result);
        if (error != ErrorCode.None)
        {
            result.Refuse(reply, error);
            return result;
        }
        result.CancelTimer(ConsumerRebalance.SyncTimer(group.Id, member!.Id));
        rebalance.RestartSession(result, group.Id, member);
        return result.With(new SyncGroupResponse
        {
            ProtocolType = ClassicProtocols.Type,
            ProtocolName = member.Classic!.Protocol.Name,
            Assignment = ClassicProtocols.WriteAssignment(member, topics),
        });
    }

    public CoordinatorResult<HeartbeatResponse> Heartbeat(ConsumerGroup group, HeartbeatRequest request, long nowMs)
    {
        var result = new CoordinatorResult<HeartbeatResponse>(nowMs);
        var error = Validate(group, request.MemberId, request.GroupInstanceId, request.GenerationId, out var member);
        if (error != ErrorCode.None)
            return result.With(new HeartbeatResponse { ErrorCode = error });
        rebalance.RestartSession(result, group.Id, member!);
        if (migration.CanDowngrade(group.State))
        {
            migration.Downgrade(new ConsumerGroupDraft(group.Id, group.State, result));
            error = ErrorCode.RebalanceInProgress;
        }
        else if (MustJoin(group.State, member!))
        {
            error = CallBack(group, member!, result);
        }
        return result.With(new HeartbeatResponse { ErrorCode = error });
    }

    public CoordinatorResult<LeaveGroupResponse> Leave(ConsumerGroup group, CallContext context, LeaveGroupRequest request, long nowMs)
    {
        var result = new CoordinatorResult<LeaveGroupResponse>(nowMs);
        var isSingle = context.ApiVersion < 3;
        List<MemberIdentity> identities = isSingle ? [new MemberIdentity { MemberId = request.MemberId }] : request.Members;
        var left = new HashSet<string>();
        var answers = identities.ConvertAll(identity => Leave(group.State, identity, left));
        if (left.Count > 0)
            rebalance.Remove(new ConsumerGroupDraft(group.Id, group.State, result), left);
        return result.With(isSingle ? new LeaveGroupResponse { ErrorCode = answers[0].ErrorCode } : new LeaveGroupResponse { Members = answers });
    }

    /// <summary>An empty group becomes a classic one: the member that comes back a moment later finds it so.</summary>
    private static ErrorCode MakeRoomForClassic(ConsumerGroup group, CoordinatorResult result)
    {
        foreach (var record in group.Tombstones())
            result.Append(record);
        return ErrorCode.CoordinatorLoadInProgress;
    }

    private ErrorCode Join(
        ConsumerGroup group, CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, CoordinatorResult result)
    {
        if (request.ProtocolType != ClassicProtocols.Type || request.Protocols.Count == 0)
            return ErrorCode.InconsistentGroupProtocol;
        var present = request.GroupInstanceId is null ? group.State.Find(request.MemberId) : group.State.FindInstance(request.GroupInstanceId);
        if (request.GroupInstanceId is not null && request.MemberId.Length > 0 && present?.Id != request.MemberId)
            return present is null ? ErrorCode.UnknownMemberId : ErrorCode.FencedInstanceId;
        if (present is null && group.State.Members.Count >= options.MaxConsumerGroupSize)
            return ErrorCode.GroupMaxSizeReached;
        var memberId = request.MemberId.Length > 0 ? request.MemberId : $"{request.GroupInstanceId ?? Prefix(context.ClientId)}-{newId()}";
        if (request.MemberId.Length == 0 && request.GroupInstanceId is null && context.ApiVersion >= MemberIdRequiredVersion)
        {
            result.Settle(reply, JoinAnswers.MemberIdRequired(memberId, context.ApiVersion));
            return ErrorCode.None;
        }
        return Subscribe(new ConsumerGroupDraft(group.Id, group.State, result), context, request, reply, present, memberId);
    }

    private ErrorCode Subscribe(
        ConsumerGroupDraft draft, CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, ConsumerMember? present, string memberId)
    {
        if (!TryRead(context, request, out var subscription, out var owned))
            return ErrorCode.InconsistentGroupProtocol;
        var member = present is null || present.Id == memberId ? present : ConsumerHeartbeat.ReplaceMember(draft, present, memberId);
        var mustBump = member is null || !member.Subscription.Topics.SetEquals(subscription.Topics) || member.Subscription.Pattern is { Length: > 0 };
        if (member is null || !member.Subscription.Equals(subscription))
            draft.Write(new MemberSubscriptionRecord(draft.GroupId, memberId, subscription));
        if (ClassicProtocols.FindCommon(draft.State) is null)
            return ErrorCode.InconsistentGroupProtocol;
        var after = rebalance.Advance(draft, memberId, owned, mustBump);
        draft.Result.CancelTimer(ConsumerRebalance.JoinTimer(draft.GroupId, memberId));
        draft.Result.SetTimer(ConsumerRebalance.SyncTimer(draft.GroupId, memberId), subscription.RebalanceTimeoutMs);
        draft.Result.Settle(reply, new JoinGroupResponse
        {
            GenerationId = after.Epoch,
            ProtocolType = ClassicProtocols.Type,
            ProtocolName = after.Classic!.Protocol.Name,
            MemberId = memberId,
        });
        return ErrorCode.None;
    }

    private bool TryRead(CallContext context, JoinGroupRequest request, out MemberSubscription subscription, out PartitionSet owned)
    {
        try
        {
            // The request's buffer is lent.
            var traits = new ClassicTraits(
                request.SessionTimeoutMs, [.. request.Protocols.Select(protocol => new MemberProtocol(protocol.Name, protocol.Metadata.ToArray()))]);
            var rebalanceTimeoutMs = request.RebalanceTimeoutMs < 0 ? request.SessionTimeoutMs : request.RebalanceTimeoutMs;
            subscription = ClassicProtocols.Subscription(
                traits, request.GroupInstanceId, rebalanceTimeoutMs, context.ClientId, context.ClientHost, out var names);
            owned = ClassicProtocols.ToIds(names, topics);
            return true;
        }
        catch (MalformedMessageException)
        {
            (subscription, owned) = (MemberSubscription.None, PartitionSet.Empty);
            return false;
        }
    }

    private static string Prefix(string clientId) => clientId.Length <= 255 ? clientId : clientId[..255];

    private static ErrorCode Validate(ConsumerGroup group, string memberId, string? instanceId, int generation, out ConsumerMember? member)
    {
        member = instanceId is null ? group.State.Find(memberId) : group.State.FindInstance(instanceId);
        return member switch
        {
            null => ErrorCode.UnknownMemberId,
            _ when member.Id != memberId => ErrorCode.FencedInstanceId,
            { Classic: null } => ErrorCode.UnknownMemberId,
            _ when member.Epoch != generation => ErrorCode.IllegalGeneration,
            _ => ErrorCode.None,
        };
    }

    private static bool IsInconsistent(SyncGroupRequest request, ConsumerMember member) =>
        (request.ProtocolType ?? ClassicProtocols.Type) != ClassicProtocols.Type
        || (request.ProtocolName is { } name && name != member.Classic!.Protocol.Name);

    /// <summary>Whether joining again would bring the member further.</summary>
    private static bool MustJoin(ConsumerGroupState state, ConsumerMember member) => member.Assignment.State switch
    {
        _ when member.Epoch < state.Epoch => true,
        MemberState.Unrevoked => true,
        MemberState.Unreleased => !state.TargetOf(member.Id).Any(partition => state.IsTaken(partition, member.Id)),
        _ => false,
    };

    /// <summary>Has the member join again, for which it has its rebalance time-out from the first time it is told.</summary>
    private static ErrorCode CallBack(ConsumerGroup group, ConsumerMember member, CoordinatorResult result)
    {
        result.SetTimerIfUnset(ConsumerRebalance.JoinTimer(group.Id, member.Id), member.Subscription.RebalanceTimeoutMs);
        return ErrorCode.RebalanceInProgress;
    }

    private static MemberResponse Leave(ConsumerGroupState state, MemberIdentity identity, HashSet<string> left)
    {
        var member = identity.GroupInstanceId is { } instance ? state.FindInstance(instance) : state.Find(identity.MemberId);
        var error = member switch
        {
            null => ErrorCode.UnknownMemberId,
            _ when identity.MemberId.Length > 0 && member.Id != identity.MemberId => ErrorCode.FencedInstanceId,
            // An administrator may take out any static member by its instance id; the rest leaves by its own protocol.
            { Classic: null } when identity.MemberId.Length > 0 || identity.GroupInstanceId is null => ErrorCode.UnknownMemberId,
            _ => ErrorCode.None,
        };
        if (error == ErrorCode.None)
            left.Add(member!.Id);
        return new MemberResponse { MemberId = identity.MemberId, GroupInstanceId = identity.GroupInstanceId, ErrorCode = error };
    }
}
