using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Groups;

/// <summary>
/// Takes a classic group from one generation to the next: gathers the members (join phase), answers them, and waits
/// for the leader's assignment (sync phase). After Kafka's GroupMetadataManager.
/// </summary>
internal sealed class ClassicRebalance(GroupOptions options, GroupStore store, ILogger logger)
{
    public static TimerKey JoinTimer(ClassicGroup group) => new(TimerKind.Join, group.Id);

    public static TimerKey SyncTimer(ClassicGroup group) => new(TimerKind.Sync, group.Id);

    public static TimerKey SessionTimer(ClassicGroup group, string memberId) => new(TimerKind.Session, group.Id, memberId);

    public static void RestartSession(CoordinatorResult result, ClassicGroup group, ClassicMember member) =>
        result.SetTimer(SessionTimer(group, member.Id), member.SessionTimeoutMs);

    /// <summary>Something changed in the group: begins a rebalance, or goes on with the one under way.</summary>
    public void Advance(CoordinatorResult result, ClassicGroup group, string reason)
    {
        if (group.State == ClassicGroupState.PreparingRebalance)
            CompleteIfGathered(result, group);
        else
            Begin(result, group, reason);
    }

    /// <summary>Has all members join again. An empty group waits a little for more than its first.</summary>
    public void Begin(CoordinatorResult result, ClassicGroup group, string reason)
    {
        CallBack(result, group);
        var isInitial = group.IsEmpty;
        group.BeginRebalance(result.NowMs);
        logger.LogInformation("Group {Group} rebalances from generation {Generation}: {Reason}.", group.Id, group.Generation, reason);
        if (isInitial)
            BeginInitialDelay(result, group);
        else if (group.HasAllMembersJoined)
            Complete(result, group);
        else
            result.SetTimer(JoinTimer(group), group.RebalanceTimeoutMs);
    }

    /// <summary>Sends members that wait for an assignment back to joining. While they waited their sessions did not run.</summary>
    private static void CallBack(CoordinatorResult result, ClassicGroup group)
    {
        result.CancelTimer(SyncTimer(group));
        foreach (var member in group.Members.Where(member => member.Sync is not null))
        {
            result.Refuse(member.Sync, ErrorCode.RebalanceInProgress);
            member.Sync = null;
            RestartSession(result, group, member);
        }
    }

    /// <summary>The time for joining is over.</summary>
    public void JoinTimeUp(CoordinatorResult result, ClassicGroup group)
    {
        if (group.State != ClassicGroupState.PreparingRebalance)
            return;
        if (IsInitial(group) && group.MemberAddedInDelay && group.DelayLeftMs > 0)
            Delay(result, group);
        else
            Complete(result, group);
    }

    /// <summary>The time for syncing is over: members that did not fetch their assignment are out.</summary>
    public void SyncTimeUp(CoordinatorResult result, ClassicGroup group)
    {
        var isDue = group.State is ClassicGroupState.CompletingRebalance or ClassicGroupState.Stable;
        if (!isDue || group.PendingSync.Count == 0)
            return;
        foreach (var member in group.Members.Where(member => group.PendingSync.Contains(member.Id)).ToList())
            Remove(result, group, member);
        Begin(result, group, "members did not fetch their assignments in time");
    }

    /// <summary>A member was not heard of for its session time-out.</summary>
    public void SessionTimeUp(CoordinatorResult result, ClassicGroup group, string memberId)
    {
        if (group.PendingJoin.Remove(memberId))
        {
            CompleteIfGathered(result, group);
            store.DropIfForgettable(group);
        }
        else if (group.Find(memberId) is { IsWaiting: false } member)
        {
            Remove(result, group, member);
            Advance(result, group, "a member's session timed out");
        }
    }

    /// <summary>Takes a member out. It is then for the caller to <see cref="Advance"/>.</summary>
    public static void Remove(CoordinatorResult result, ClassicGroup group, ClassicMember member)
    {
        result.Refuse(member.Join, ErrorCode.UnknownMemberId);
        result.Refuse(member.Sync, ErrorCode.UnknownMemberId);
        result.CancelTimer(SessionTimer(group, member.Id));
        group.Remove(member);
    }

    private void BeginInitialDelay(CoordinatorResult result, ClassicGroup group)
    {
        group.MemberAddedInDelay = false;
        group.DelayLeftMs = group.RebalanceTimeoutMs;
        if (options.InitialRebalanceDelayMs > 0)
            Delay(result, group);
        else
            Complete(result, group);
    }

    private void Delay(CoordinatorResult result, ClassicGroup group)
    {
        var delayMs = Math.Min(options.InitialRebalanceDelayMs, group.DelayLeftMs);
        group.MemberAddedInDelay = false;
        group.DelayLeftMs -= delayMs;
        result.SetTimer(JoinTimer(group), delayMs);
    }

    private static bool IsInitial(ClassicGroup group) => group.PreviousState == ClassicGroupState.Empty;

    private void CompleteIfGathered(CoordinatorResult result, ClassicGroup group)
    {
        var isDelayed = IsInitial(group) && group.MemberCount > 0;
        if (group.State == ClassicGroupState.PreparingRebalance && group.HasAllMembersJoined && !isDelayed)
            Complete(result, group);
    }

    /// <summary>Ends the join phase. Members that did not join again are out, but for static ones, which may come back.</summary>
    private void Complete(CoordinatorResult result, ClassicGroup group)
    {
        result.CancelTimer(JoinTimer(group));
        foreach (var absent in group.Members.Where(member => member.Join is null && !member.IsStatic).ToList())
            Remove(result, group, absent);
        if (group.MemberCount == 0)
            BecomeEmpty(result, group);
        else if (group.ElectJoinedLeader())
            BeginGeneration(result, group);
        else
            result.SetTimer(JoinTimer(group), group.RebalanceTimeoutMs);
    }

    private void BecomeEmpty(CoordinatorResult result, ClassicGroup group)
    {
        logger.LogInformation("Group {Group} has no members any more.", group.Id);
        if (group.HasMetadata)
        {
            result.Append(new GroupMetadataRecord(group.Id, group.ToEmpty(result.NowMs)));
            return;
        }
        group.BecomeEmpty(result.NowMs);
        store.DropIfForgettable(group);
    }

    private void BeginGeneration(CoordinatorResult result, ClassicGroup group)
    {
        group.BeginGeneration(result.NowMs);
        logger.LogInformation("Group {Group} has {Count} members in generation {Generation}.", group.Id, group.MemberCount, group.Generation);
        foreach (var member in group.Members)
        {
            if (member.Join is { } join)
                result.Settle(join, JoinAnswers.Joined(group, member));
            group.Park(member, null);
            member.IsNew = false;
            group.PendingSync.Add(member.Id);
            RestartSession(result, group, member);
        }
        result.SetTimer(SyncTimer(group), group.RebalanceTimeoutMs);
    }
}
