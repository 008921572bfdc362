namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// Brings one member a step nearer to its target (KIP-848): it gives up what is not its any more before it gets
/// anything, and gets only what nobody else has. So no partition is ever owned twice, and members move one by one.
/// </summary>
internal static class Reconciliation
{
    /// <summary>What the member has from now on.</summary>
    /// <param name="owned">What the member says it owns; null when it does not say.</param>
    public static MemberAssignment Next(ConsumerGroupState state, ConsumerMember member, PartitionSet? owned)
    {
        var assignment = member.Assignment;
        return assignment.State switch
        {
            MemberState.Stable when assignment.Epoch == state.AssignmentEpoch => assignment,
            MemberState.Unrevoked when Owns(owned, assignment.PendingRevocation) => assignment,
            // A step of its own: what is committed in the former epoch may be of a partition that others have now.
            MemberState.Unrevoked => Step(state, member, owned, assignment.Epoch + 1),
            _ => Step(state, member, owned, assignment.Epoch),
        };
    }

    private static MemberAssignment Step(ConsumerGroupState state, ConsumerMember member, PartitionSet? owned, int epoch)
    {
        var (assigned, target) = (member.Assignment.Assigned, state.TargetOf(member.Id));
        var kept = assigned.Intersect(target);
        var surplus = assigned.Except(kept);
        if (!surplus.IsEmpty && Owns(owned, surplus))
            return Enter(member, MemberState.Unrevoked, epoch, kept, surplus);
        var free = target.Except(kept).Except(target.Where(partition => state.IsTaken(partition, member.Id)));
        var now = kept.Union(free);
        var next = now.Count == target.Count ? MemberState.Stable : MemberState.Unreleased;
        return Enter(member, next, state.AssignmentEpoch ?? 0, now, PartitionSet.Empty);
    }

    private static MemberAssignment Enter(ConsumerMember member, MemberState state, int epoch, PartitionSet assigned, PartitionSet surplus)
    {
        var former = member.Assignment;
        return new MemberAssignment
        {
            Epoch = epoch,
            PreviousEpoch = epoch == former.Epoch ? former.PreviousEpoch : former.Epoch,
            State = state,
            Assigned = assigned,
            PendingRevocation = surplus,
        };
    }

    private static bool Owns(PartitionSet? owned, PartitionSet partitions) => owned is null || owned.Overlaps(partitions);
}
