using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>What every request to a consumer group may bring about: a new target, a step towards it, the end of members.</summary>
internal sealed class ConsumerRebalance(
    GroupOptions options, Func<string, GroupTimings> timingsOf, GroupStore store, ITopicDirectory topics, GroupMigration migration, ILogger logger)
{
    private readonly TopicPatterns _patterns = new(options.TopicPatternMaxLength);

    public TopicPatterns Patterns => _patterns;

    public static TimerKey SessionTimer(string groupId, string memberId) => new(TimerKind.Session, groupId, memberId);

    /// <summary>Runs while the member has partitions to give up.</summary>
    public static TimerKey RevocationTimer(string groupId, string memberId) => new(TimerKind.Revocation, groupId, memberId);

    /// <summary>Runs while a member of the classic protocol has to join again.</summary>
    public static TimerKey JoinTimer(string groupId, string memberId) => new(TimerKind.Join, groupId, memberId);

    /// <summary>Runs while a member of the classic protocol has to fetch its assignment.</summary>
    public static TimerKey SyncTimer(string groupId, string memberId) => new(TimerKind.Sync, groupId, memberId);

    public void RestartSession(CoordinatorResult result, string groupId, ConsumerMember member) =>
        result.SetTimer(SessionTimer(groupId, member.Id), member.Classic?.SessionTimeoutMs ?? timingsOf(groupId).ConsumerSessionTimeoutMs);

    /// <summary>After a load or a roll back no timers can be relied upon.</summary>
    public void RestartTimers(CoordinatorResult result, ConsumerGroup group)
    {
        group.SeenTopics = null;
        foreach (var member in group.State.Members.Values)
        {
            RestartSession(result, group.Id, member);
            if (member.Assignment.State == MemberState.Unrevoked)
                result.SetTimer(RevocationTimer(group.Id, member.Id), member.Subscription.RebalanceTimeoutMs);
        }
    }

    /// <summary>Brings the group's target up to date, and the member a step nearer to it.</summary>
    /// <param name="draft">The group.</param>
    /// <param name="memberId">A member of it.</param>
    /// <param name="owned">What the member says it owns; null when it does not say.</param>
    /// <param name="mustBump">Whether the member has changed what it would like.</param>
    public ConsumerMember Advance(ConsumerGroupDraft draft, string memberId, PartitionSet? owned, bool mustBump)
    {
        Refresh(draft, mustBump);
        draft.Assign(options.ConsumerAssignors);
        var before = draft.State.Find(memberId)!;
        draft.Set(memberId, Reconciliation.Next(draft.State, before, owned));
        var after = draft.State.Find(memberId)!;
        SetRevocationTimer(draft, before, after);
        RestartSession(draft.Result, draft.GroupId, after);
        return after;
    }

    /// <summary>A timer of one member has run out.</summary>
    public void TimeUp(CoordinatorResult result, ConsumerGroup group, TimerKey timer)
    {
        if (group.State.Find(timer.Member) is not { } member)
            return;
        if (timer.Kind == TimerKind.Revocation && member.Assignment.State != MemberState.Unrevoked)
            return;
        logger.LogInformation("Group {Group} goes on without {Member}: its {Timer} timer ran out.", group.Id, member.Id, timer.Kind);
        Remove(new ConsumerGroupDraft(group.Id, group.State, result), [member.Id]);
    }

    /// <summary>Takes members out. If the others are all of the classic protocol, the group goes back to it.</summary>
    public void Remove(ConsumerGroupDraft draft, IReadOnlyCollection<string> memberIds)
    {
        foreach (var id in memberIds)
        {
            CancelTimers(draft, id);
            draft.Write(ConsumerGroup.Tombstones(draft.GroupId, id));
        }
        if (migration.CanDowngrade(draft.State))
        {
            migration.Downgrade(draft);
            return;
        }
        draft.Refresh(topics, _patterns, mustBump: true);
    }

    private void Refresh(ConsumerGroupDraft draft, bool mustBump)
    {
        var edition = topics.Edition;
        var group = store.Find(draft.GroupId) as ConsumerGroup;
        if (mustBump || group?.SeenTopics != edition)
            draft.Refresh(topics, _patterns, mustBump);
        if (group is not null)
            group.SeenTopics = edition;
    }

    private static void SetRevocationTimer(ConsumerGroupDraft draft, ConsumerMember before, ConsumerMember after)
    {
        var timer = RevocationTimer(draft.GroupId, after.Id);
        if (after.Assignment.State != MemberState.Unrevoked)
            draft.Result.CancelTimer(timer);
        else if (before.Assignment != after.Assignment)
            draft.Result.SetTimer(timer, after.Subscription.RebalanceTimeoutMs);
    }

    private static void CancelTimers(ConsumerGroupDraft draft, string memberId)
    {
        draft.Result.CancelTimer(SessionTimer(draft.GroupId, memberId));
        draft.Result.CancelTimer(RevocationTimer(draft.GroupId, memberId));
        draft.Result.CancelTimer(JoinTimer(draft.GroupId, memberId));
        draft.Result.CancelTimer(SyncTimer(draft.GroupId, memberId));
    }
}
