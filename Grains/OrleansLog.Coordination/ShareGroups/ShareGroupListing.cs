using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using static OrleansLog.Protocol.Messages.ShareGroupDescribeResponse;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>Describes share groups to administrators.</summary>
internal sealed class ShareGroupListing(GroupStore store, ITopicDirectory topics)
{
    public CoordinatorResult<DescribedGroup> Describe(string groupId, long nowMs) =>
        new CoordinatorResult<DescribedGroup>(nowMs).With(store.Find(groupId) is ShareGroup group
            ? Describe(group)
            : new DescribedGroup { GroupId = groupId, ErrorCode = ErrorCode.GroupIdNotFound, ErrorMessage = $"There is no share group {groupId}." });

    private DescribedGroup Describe(ShareGroup group) => new()
    {
        GroupId = group.Id,
        GroupState = group.StateName,
        GroupEpoch = group.State.Epoch ?? 0,
        AssignmentEpoch = group.State.Epoch ?? 0,
        AssignorName = ShareAssignor.Name,
        Members = [.. group.State.Members.Values.Select(Describe)],
    };

    private Member Describe(ShareMember member) => new()
    {
        MemberId = member.Id,
        RackId = member.RackId,
        MemberEpoch = member.Epoch,
        ClientId = member.ClientId,
        ClientHost = member.ClientHost,
        SubscribedTopicNames = [.. member.Topics],
        Assignment = new()
        {
            // Partitions of topics that are gone are left out.
            TopicPartitions = PartitionLists
                .ByTopic(member.Assigned, (id, indexes) => new TopicPartitions { TopicId = id, TopicName = topics.NameOf(id) ?? "", Partitions = indexes })
                .FindAll(topic => topic.TopicName.Length > 0),
        },
    };
}
