using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>
/// Takes groups from the classic protocol to the consumer protocol and back while their members go on reading. The
/// members keep their ids, their partitions, and their sessions, which run under the same names in both.
/// </summary>
internal sealed class GroupMigration(GroupOptions options, ITopicDirectory topics, ILogger logger)
{
    /// <summary>Has the classic group rebalance once its records are replayed.</summary>
    public static TimerKey DowngradedTimer(string groupId) => new(TimerKind.Downgraded, groupId);

    /// <summary>
    /// The classic group as a consumer group, if it may become one. Whoever waits in it is told to join again.
    /// </summary>
    public ConsumerGroupDraft? TryUpgrade(ClassicGroup group, CoordinatorResult result)
    {
        if (group.MemberCount > 0 && !CanUpgrade(group))
            return null;
        var members = group.Members.Select(Upgrade).ToList();
        if (members.Contains(null))
            return null;
        EndClassic(group, result);
        var draft = new ConsumerGroupDraft(group.Id, ConsumerGroupState.None, result);
        if (members.Count > 0)
            Write(draft, group.Generation, members!);
        return draft;
    }

    /// <summary>Whether all members are of the classic protocol, so that the group has no more need of this one.</summary>
    public bool CanDowngrade(ConsumerGroupState state) =>
        options.MigrationPolicy is GroupMigrationPolicy.Downgrade or GroupMigrationPolicy.Bidirectional
        && !state.Members.IsEmpty && state.Members.Count <= options.MaxGroupSize
        && state.Members.Values.All(member => member.Classic is not null) && ClassicProtocols.FindCommon(state) is not null;

    /// <summary>Makes a classic group of a consumer group. It rebalances as soon as that is written.</summary>
    public void Downgrade(ConsumerGroupDraft draft)
    {
        var state = draft.State;
        var protocol = ClassicProtocols.FindCommon(state)!;
        draft.Write(ConsumerGroup.Tombstones(draft.GroupId, state));
        draft.Result.Append(new GroupMetadataRecord(draft.GroupId, new GroupMetadataValue
        {
            ProtocolType = ClassicProtocols.Type,
            Generation = state.Epoch ?? 0,
            Protocol = protocol,
            // Nobody has been told to lead: a coordinator that loads this has the group rebalance too.
            Leader = null,
            CurrentStateTimestamp = draft.Result.NowMs,
            Members = [.. state.Members.Values.Select(member => Downgrade(member, protocol))],
        }));
        draft.Result.SetTimer(DowngradedTimer(draft.GroupId), 0);
        logger.LogInformation("Group {Group} goes back to the classic protocol.", draft.GroupId);
    }

    private bool CanUpgrade(ClassicGroup group) =>
        options.MigrationPolicy is GroupMigrationPolicy.Upgrade or GroupMigrationPolicy.Bidirectional
        && group.ProtocolType == ClassicProtocols.Type && group.MemberCount <= options.MaxConsumerGroupSize;

    private void EndClassic(ClassicGroup group, CoordinatorResult result)
    {
        foreach (var member in group.Members)
        {
            result.Refuse(member.Join, ErrorCode.RebalanceInProgress);
            result.Refuse(member.Sync, ErrorCode.RebalanceInProgress);
            ClassicRebalance.RestartSession(result, group, member);
        }
        result.CancelTimer(ClassicRebalance.JoinTimer(group));
        result.CancelTimer(ClassicRebalance.SyncTimer(group));
        foreach (var record in group.Tombstones())
            result.Append(record);
        logger.LogInformation("Group {Group} goes over to the consumer protocol.", group.Id);
    }

    private static void Write(ConsumerGroupDraft draft, int generation, List<ConsumerMember> members)
    {
        draft.Write(members.Select(member => new MemberSubscriptionRecord(draft.GroupId, member.Id, member.Subscription)));
        draft.Write(new GroupEpochRecord(draft.GroupId, generation));
        var given = PartitionSet.Empty;
        foreach (var member in members)
        {
            // Members share out among themselves; should they have given something twice, the first has it.
            var assigned = member.Assignment.Assigned.Except(given);
            given = given.Union(assigned);
            draft.Write(new TargetRecord(draft.GroupId, member.Id, assigned));
            draft.Write(new MemberAssignmentRecord(
                draft.GroupId, member.Id, new MemberAssignment { Epoch = generation, PreviousEpoch = generation, Assigned = assigned }));
        }
        draft.Write(new TargetEpochRecord(draft.GroupId, generation));
    }

    /// <summary>The member with what it reads, or null if what it says cannot be read.</summary>
    private ConsumerMember? Upgrade(ClassicMember member)
    {
        try
        {
            var traits = new ClassicTraits(member.SessionTimeoutMs, [.. member.Protocols]);
            var subscription = ClassicProtocols.Subscription(
                traits, member.InstanceId, member.RebalanceTimeoutMs, member.ClientId, member.ClientHost, out _);
            return new ConsumerMember(member.Id, subscription, new MemberAssignment
            {
                Assigned = ClassicProtocols.ReadAssignment(member.Assignment, topics),
            });
        }
        catch (MalformedMessageException)
        {
            return null;
        }
    }

    private GroupMetadataValue.MemberMetadata Downgrade(ConsumerMember member, string protocol) => new()
    {
        MemberId = member.Id,
        GroupInstanceId = member.InstanceId,
        ClientId = member.Subscription.ClientId,
        ClientHost = member.Subscription.ClientHost,
        RebalanceTimeout = member.Subscription.RebalanceTimeoutMs,
        SessionTimeout = member.Classic!.SessionTimeoutMs,
        Subscription = member.Classic.Protocols.First(candidate => candidate.Name == protocol).Metadata,
        Assignment = ClassicProtocols.WriteAssignment(member, topics),
    };
}
