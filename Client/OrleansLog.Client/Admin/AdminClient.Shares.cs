using OrleansLog.Client.Metadata;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>Share groups (KIP-932) and how far they have come.</summary>
public sealed partial class AdminClient
{
    /// <summary>How far a share group has come in the partitions that it has read.</summary>
    /// <exception cref="OrleansLogException">There is no such share group.</exception>
    public async Task<IReadOnlyList<ShareGroupOffset>> ListShareGroupOffsetsAsync(string groupId, CancellationToken cancellationToken = default)
    {
        var request = new DescribeShareGroupOffsetsRequest { Groups = [new() { GroupId = groupId, Topics = null }] };
        var response = await CoordinatorOf(groupId).SendAsync("read the offsets of", request, response => response.Groups[0].ErrorCode, cancellationToken);
        var described = response.Groups[0];
        Require(described.ErrorCode, described.ErrorMessage, $"read the offsets of share group '{groupId}'");
        return
        [
            .. from topic in described.Topics
               from part in topic.Partitions
               orderby topic.TopicName, part.PartitionIndex
               select new ShareGroupOffset(
                   new(topic.TopicName, part.PartitionIndex), part.StartOffset < 0 ? null : new Offset(part.StartOffset), part.Lag < 0 ? null : part.Lag, part.ErrorCode),
        ];
    }

    /// <summary>Has a share group that has no members begin at these offsets.</summary>
    /// <exception cref="OrleansLogException">It has members, or there is no such group.</exception>
    public async Task<IReadOnlyList<ItemResult>> AlterShareGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartitionOffset> offsets, CancellationToken cancellationToken = default)
    {
        var request = new AlterShareGroupOffsetsRequest
        {
            GroupId = groupId,
            Topics = [.. offsets.GroupBy(offset => offset.Partition.Topic).Select(topic => new AlterShareGroupOffsetsRequest.RequestTopic
            {
                TopicName = topic.Key,
                Partitions = [.. topic.Select(each => new AlterShareGroupOffsetsRequest.RequestPartition { PartitionIndex = each.Partition.Partition, StartOffset = each.Offset.Value })],
            })],
        };
        var response = await CoordinatorOf(groupId).SendAsync("change the offsets of", request, response => response.ErrorCode, cancellationToken);
        Require(response.ErrorCode, response.ErrorMessage ?? Explain(response.ErrorCode), $"change the offsets of share group '{groupId}'");
        return
        [
            .. from topic in response.Responses
               from part in topic.Partitions
               select new ItemResult(new TopicPartition(topic.TopicName, part.PartitionIndex).ToString(), part.ErrorCode, part.ErrorMessage),
        ];
    }

    /// <summary>Has a share group that has no members forget topics, so that it begins them anew.</summary>
    /// <exception cref="OrleansLogException">It has members, or there is no such group.</exception>
    public async Task<IReadOnlyList<ItemResult>> DeleteShareGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<string> topics, CancellationToken cancellationToken = default)
    {
        var request = new DeleteShareGroupOffsetsRequest { GroupId = groupId, Topics = [.. topics.Select(topic => new DeleteShareGroupOffsetsRequest.RequestTopic { TopicName = topic })] };
        var response = await CoordinatorOf(groupId).SendAsync("delete offsets of", request, response => response.ErrorCode, cancellationToken);
        Require(response.ErrorCode, response.ErrorMessage ?? Explain(response.ErrorCode), $"delete offsets of share group '{groupId}'");
        return [.. response.Responses.Select(topic => new ItemResult(topic.TopicName, topic.ErrorCode, topic.ErrorMessage))];
    }

    /// <summary>The share group, or null where there is none, or brokers do not know such.</summary>
    private static async Task<GroupDescription?> DescribeShareGroupAsync(GroupCoordinator coordinator, CancellationToken cancellationToken)
    {
        try
        {
            var request = new ShareGroupDescribeRequest { GroupIds = [coordinator.GroupId] };
            var response = await coordinator.SendAsync("describe", request, response => response.Groups[0].ErrorCode, cancellationToken);
            return response.Groups[0].ErrorCode == ErrorCode.GroupIdNotFound
                ? null
                : ToDescription(response.Groups[0], await coordinator.FindAsync(cancellationToken));
        }
        catch (OrleansLogException e) when (e.ErrorCode == ErrorCode.UnsupportedVersion)
        {
            return null;
        }
    }

    private static GroupDescription ToDescription(ShareGroupDescribeResponse.DescribedGroup group, BrokerId coordinator) => new(
        group.GroupId, group.ErrorCode, group.GroupState, "share", group.AssignorName, coordinator, [.. group.Members.Select(ToMember)])
    {
        GroupType = "share",
        Epoch = group.GroupEpoch,
        AssignmentEpoch = group.AssignmentEpoch,
    };

    private static GroupMemberDescription ToMember(ShareGroupDescribeResponse.Member member) => new(
        member.MemberId, null, member.ClientId, member.ClientHost,
        [.. member.Assignment.TopicPartitions.SelectMany(topic => topic.Partitions, (topic, index) => new TopicPartition(topic.TopicName, index))])
    {
        Epoch = member.MemberEpoch,
        IsClassic = false,
    };
}
