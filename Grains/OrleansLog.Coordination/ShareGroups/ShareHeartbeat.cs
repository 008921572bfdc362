using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>
/// The one request of share groups (KIP-932): a member joins with epoch 0, says which topics it would like, hears what it may
/// read, and leaves with a negative epoch. Nobody has to give anything up for another, so that a member is where it should be
/// with its next heartbeat.
/// </summary>
/// <param name="options">The limits.</param>
/// <param name="timingsOf">How members of a group are to be heard of.</param>
/// <param name="store">The groups.</param>
/// <param name="topics">The topics that there are.</param>
/// <param name="settle">Told of a group for which states are to be made; see <see cref="GroupShard"/>.</param>
/// <param name="logger">Told of members that come and go.</param>
internal sealed class ShareHeartbeat(
    GroupOptions options, Func<string, GroupTimings> timingsOf, GroupStore store, ITopicDirectory topics, Action<string> settle, ILogger logger)
{
    public static TimerKey SessionTimer(string groupId, string memberId) => new(TimerKind.Session, groupId, memberId);

    public CoordinatorResult<ShareGroupHeartbeatResponse> Heartbeat(CallContext context, ShareGroupHeartbeatRequest request, long nowMs)
    {
        var result = new CoordinatorResult<ShareGroupHeartbeatResponse>(nowMs);
        var (error, message) = request.MemberEpoch < 0 ? Leave(request, result) : Stay(context, request, result);
        // What was decided before the refusal is dropped with its result.
        return error == ErrorCode.None
            ? result
            : new CoordinatorResult<ShareGroupHeartbeatResponse>(nowMs).With(new() { ErrorCode = error, ErrorMessage = message });
    }

    /// <summary>A member's session has ended.</summary>
    public void TimeUp(CoordinatorResult result, ShareGroup group, TimerKey timer)
    {
        if (group.State.Find(timer.Member) is null)
            return;
        logger.LogInformation("Share group {Group} goes on without {Member}, which was not heard of.", group.Id, timer.Member);
        new ShareGroupDraft(group.Id, group.State, result).Remove(timer.Member);
    }

    /// <summary>After a load or a roll back no timers can be relied upon.</summary>
    public void RestartTimers(CoordinatorResult result, ShareGroup group)
    {
        group.SeenTopics = null;
        foreach (var id in group.State.Members.Keys)
            result.SetTimer(SessionTimer(group.Id, id), timingsOf(group.Id).ShareSessionTimeoutMs);
    }

    private (ErrorCode, string?) Stay(CallContext context, ShareGroupHeartbeatRequest request, CoordinatorResult<ShareGroupHeartbeatResponse> result)
    {
        var group = store.Find(request.GroupId);
        if (group is not ShareGroup && (request.MemberEpoch != 0 || group is { HasMetadata: true }))
            return (ErrorCode.GroupIdNotFound, $"There is no share group {request.GroupId}.");
        var sharing = group as ShareGroup;
        var draft = new ShareGroupDraft(request.GroupId, sharing?.State ?? ShareGroupState.None, result);
        var before = draft.State.Find(request.MemberId);
        var refused = before is null ? RefuseNew(request, draft.State) : RefuseEpoch(request, before);
        if (refused.Error != ErrorCode.None)
            return refused;
        var mustBump = Subscribe(draft, context, request, before);
        Refresh(draft, sharing, mustBump);
        var after = draft.Assign(request.MemberId, topics);
        result.SetTimer(SessionTimer(draft.GroupId, after.Id), timingsOf(draft.GroupId).ShareSessionTimeoutMs);
        result.With(Answer(request, draft.State, before, after));
        return default;
    }

    private (ErrorCode Error, string? Message) RefuseNew(ShareGroupHeartbeatRequest request, ShareGroupState state)
    {
        if (request.MemberEpoch != 0)
            return (ErrorCode.UnknownMemberId, $"Share group {request.GroupId} has no member {request.MemberId}.");
        return state.Members.Count >= options.MaxShareGroupSize
            ? (ErrorCode.GroupMaxSizeReached, $"The group has {options.MaxShareGroupSize} members, which is the most.")
            : default;
    }

    private static (ErrorCode Error, string? Message) RefuseEpoch(ShareGroupHeartbeatRequest request, ShareMember member) =>
        request.MemberEpoch == 0 || request.MemberEpoch == member.Epoch || request.MemberEpoch == member.PreviousEpoch
            ? default
            : (ErrorCode.FencedMemberEpoch, $"The member is in epoch {member.Epoch}, not in {request.MemberEpoch}: it must join again.");

    /// <summary>Takes over what the request says about the member. Answers whether that asks for another assignment.</summary>
    private bool Subscribe(ShareGroupDraft draft, CallContext context, ShareGroupHeartbeatRequest request, ShareMember? before)
    {
        var former = before ?? new ShareMember(request.MemberId);
        var wanted = former with
        {
            RackId = request.RackId ?? former.RackId,
            ClientId = context.ClientId,
            ClientHost = context.ClientHost,
            Topics = request.SubscribedTopicNames is { } names ? ConsumerGroupState.NoNames.Union(names) : former.Topics,
        };
        if (before is not null && wanted.SaysTheSame(before))
            return false;
        if (before is null)
            logger.LogInformation("{Member} joins share group {Group}.", request.MemberId, request.GroupId);
        draft.Write(new ShareMemberRecord(draft.GroupId, wanted.Id, wanted));
        return before is null || !wanted.Topics.SetEquals(before.Topics);
    }

    private void Refresh(ShareGroupDraft draft, ShareGroup? group, bool mustBump)
    {
        var edition = topics.Edition;
        if ((mustBump || group?.SeenTopics != edition) && draft.Refresh(topics, mustBump))
            draft.Result.WhenCommitted(() => settle(draft.GroupId));
        if (group is not null)
            group.SeenTopics = edition;
    }

    private (ErrorCode, string?) Leave(ShareGroupHeartbeatRequest request, CoordinatorResult<ShareGroupHeartbeatResponse> result)
    {
        if (store.Find(request.GroupId) is not ShareGroup group)
            return (ErrorCode.GroupIdNotFound, $"There is no share group {request.GroupId}.");
        if (group.State.Find(request.MemberId) is null)
            return (ErrorCode.UnknownMemberId, $"Share group {request.GroupId} has no member {request.MemberId}.");
        new ShareGroupDraft(group.Id, group.State, result).Remove(request.MemberId);
        result.With(new() { MemberId = request.MemberId, MemberEpoch = ShareGroupHeartbeatRequest.LeaveEpoch });
        return default;
    }

    /// <summary>The assignment stands in the answer if it changed, or if the member may not have heard it.</summary>
    private ShareGroupHeartbeatResponse Answer(ShareGroupHeartbeatRequest request, ShareGroupState state, ShareMember? before, ShareMember after)
    {
        var mayNotKnow = request.SubscribedTopicNames is not null || request.MemberEpoch != after.Epoch;
        var interval = timingsOf(request.GroupId).ShareHeartbeatIntervalMs;
        var hasChanged = before is null || !before.Assigned.SetEquals(after.Assigned);
        return new()
        {
            MemberId = after.Id,
            MemberEpoch = after.Epoch,
            HeartbeatIntervalMs = state.Topics.Initializing.IsEmpty
                ? interval
                : Math.Min(options.ShareFirstHeartbeatIntervalMs, interval),
            Assignment = mayNotKnow || hasChanged
                ? new()
                {
                    TopicPartitions = PartitionLists.ByTopic(
                        after.Assigned, (id, indexes) => new ShareGroupHeartbeatResponse.TopicPartitions { TopicId = id, Partitions = indexes }),
                }
                : null,
        };
    }
}
