using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using static OrleansLog.Protocol.Messages.ConsumerGroupDescribeResponse;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>Describes consumer groups to administrators.</summary>
internal sealed class ConsumerGroupListing(GroupOptions options, GroupStore store, ITopicDirectory topics)
{
    private const sbyte Classic = 0;
    private const sbyte Consumer = 1;

    public CoordinatorResult<DescribedGroup> Describe(string groupId, long nowMs) =>
        new CoordinatorResult<DescribedGroup>(nowMs).With(store.Find(groupId) is ConsumerGroup group
            ? Describe(group)
            : new DescribedGroup { GroupId = groupId, ErrorCode = ErrorCode.GroupIdNotFound, ErrorMessage = $"There is no consumer group {groupId}." });

    private DescribedGroup Describe(ConsumerGroup group) => new()
    {
        GroupId = group.Id,
        GroupState = group.StateName,
        GroupEpoch = group.State.Epoch ?? 0,
        AssignmentEpoch = group.State.AssignmentEpoch ?? 0,
        AssignorName = ConsumerGroupDraft.PreferredAssignor(group.State, options.ConsumerAssignors),
        Members = [.. group.State.Members.Values.Select(member => Describe(group.State, member))],
    };

    private Member Describe(ConsumerGroupState state, ConsumerMember member) => new()
    {
        MemberId = member.Id,
        InstanceId = member.InstanceId,
        RackId = member.Subscription.RackId,
        MemberEpoch = member.Epoch,
        ClientId = member.Subscription.ClientId,
        ClientHost = member.Subscription.ClientHost,
        SubscribedTopicNames = [.. member.Subscription.Topics],
        SubscribedTopicRegex = member.Subscription.Pattern is { Length: > 0 } pattern ? pattern : null,
        Assignment = Describe(member.Assignment.Assigned),
        TargetAssignment = Describe(state.TargetOf(member.Id)),
        MemberType = member.Classic is null ? Consumer : Classic,
    };

    /// <summary>Partitions of topics that are gone are left out.</summary>
    private Assignment Describe(PartitionSet partitions) => new()
    {
        TopicPartitions = PartitionLists
            .ByTopic(partitions, (id, indexes) => new TopicPartitions { TopicId = id, TopicName = topics.NameOf(id) ?? "", Partitions = indexes })
            .FindAll(topic => topic.TopicName.Length > 0),
    };
}
