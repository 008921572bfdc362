using OrleansLog.Client.Consuming;
using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Client;

/// <summary>Groups and their committed offsets.</summary>
public sealed partial class AdminClient
{
    private const string NoClassicGroup = "Dead";

    /// <summary>The groups of all coordinators, by id.</summary>
    public async Task<IReadOnlyList<GroupListing>> ListGroupsAsync(CancellationToken cancellationToken = default)
    {
        List<GroupListing> groups = [];
        foreach (var broker in await BrokersAsync(cancellationToken))
        {
            var response = await _cluster.RetryAsync($"list the groups of broker {broker.Id}", async token =>
            {
                var answer = await _cluster.Transport.SendAsync(broker.Id, Lane.Control, new ListGroupsRequest(), token);
                Require(answer.ErrorCode, null, $"list the groups of broker {broker.Id}");
                return answer;
            }, cancellationToken);
            groups.AddRange(response.Groups.Select(group => new GroupListing(group.GroupId, group.ProtocolType, group.GroupState, group.GroupType)));
        }
        return [.. groups.OrderBy(group => group.GroupId, StringComparer.Ordinal)];
    }

    /// <summary>
    /// A group's state and members, whichever protocol it speaks. A group that never was has the state <c>Dead</c> and
    /// no members.
    /// </summary>
    public async Task<GroupDescription> DescribeGroupAsync(string groupId, CancellationToken cancellationToken = default)
    {
        var coordinator = CoordinatorOf(groupId);
        var response = await coordinator.SendAsync(
            "describe", new DescribeGroupsRequest { Groups = [groupId] }, response => response.Groups[0].ErrorCode, cancellationToken);
        var group = response.Groups[0];
        if (group.ErrorCode == ErrorCode.GroupIdNotFound || group.GroupState == NoClassicGroup)
            return await DescribeConsumerGroupAsync(coordinator, cancellationToken) ?? await DescribeShareGroupAsync(coordinator, cancellationToken) ?? new GroupDescription(groupId, group.ErrorCode, NoClassicGroup, "", "", BrokerId.None, []);
        return new GroupDescription(
            group.GroupId, group.ErrorCode, group.GroupState, group.ProtocolType, group.ProtocolData,
            await coordinator.FindAsync(cancellationToken), [.. group.Members.Select(ToMember)]);
    }

    /// <summary>The group of the consumer protocol, or null where there is none, or brokers do not speak it.</summary>
    private static async Task<GroupDescription?> DescribeConsumerGroupAsync(GroupCoordinator coordinator, CancellationToken cancellationToken)
    {
        try
        {
            var request = new ConsumerGroupDescribeRequest { GroupIds = [coordinator.GroupId] };
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

    /// <summary>Deletes groups that have no members, with their offsets.</summary>
    public async Task<IReadOnlyList<ItemResult>> DeleteGroupsAsync(IReadOnlyList<string> groupIds, CancellationToken cancellationToken = default)
    {
        List<ItemResult> results = [];
        foreach (var groupId in groupIds)
        {
            var response = await CoordinatorOf(groupId).SendAsync(
                "delete", new DeleteGroupsRequest { GroupsNames = [groupId] }, response => response.Results[0].ErrorCode, cancellationToken);
            results.Add(new ItemResult(groupId, response.Results[0].ErrorCode, Explain(response.Results[0].ErrorCode)));
        }
        return results;
    }

    /// <summary>What a group has committed, of all partitions or of those given. Partitions without a commit are left out.</summary>
    public async Task<IReadOnlyList<TopicPartitionOffset>> ListGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartition>? partitions = null, CancellationToken cancellationToken = default) =>
        await GroupOffsets.FetchAsync(CoordinatorOf(groupId), partitions, cancellationToken);

    /// <summary>Sets the committed offsets of a group that has no members.</summary>
    /// <exception cref="OrleansLogException">It has members: stop them first.</exception>
    public async Task AlterGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartitionOffset> offsets, CancellationToken cancellationToken = default)
    {
        try
        {
            await GroupOffsets.CommitAsync(CoordinatorOf(groupId), GroupMember.None, offsets, cancellationToken);
        }
        catch (OrleansLogException e) when (e.ErrorCode is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.RebalanceInProgress)
        {
            throw new OrleansLogException(ErrorCode.NonEmptyGroup, $"The offsets of group '{groupId}' were not changed: {Explain(ErrorCode.NonEmptyGroup)}.", e);
        }
    }

    /// <summary>Forgets the committed offsets of partitions that no member of the group subscribes to.</summary>
    public async Task<IReadOnlyList<ItemResult>> DeleteGroupOffsetsAsync(
        string groupId, IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        var request = new OffsetDeleteRequest
        {
            GroupId = groupId,
            Topics =
            [
                .. partitions.GroupBy(partition => partition.Topic).Select(topic => new OffsetDeleteRequest.OffsetDeleteRequestTopic
                {
                    Name = topic.Key,
                    Partitions = [.. topic.Select(partition => new OffsetDeleteRequest.OffsetDeleteRequestPartition { PartitionIndex = partition.Partition })],
                }),
            ],
        };
        var response = await CoordinatorOf(groupId).SendAsync("delete offsets of", request, response => response.ErrorCode, cancellationToken);
        Require(response.ErrorCode, Explain(response.ErrorCode), $"delete offsets of group '{groupId}'");
        return
        [
            .. from topic in response.Topics
               from partition in topic.Partitions
               select new ItemResult(new TopicPartition(topic.Name, partition.PartitionIndex).ToString(), partition.ErrorCode, Explain(partition.ErrorCode)),
        ];
    }

    private static GroupDescription ToDescription(ConsumerGroupDescribeResponse.DescribedGroup group, BrokerId coordinator) => new(
        group.GroupId, group.ErrorCode, group.GroupState, ConsumerProtocol.Type, group.AssignorName, coordinator, [.. group.Members.Select(ToMember)])
    {
        GroupType = "consumer",
        Epoch = group.GroupEpoch,
        AssignmentEpoch = group.AssignmentEpoch,
    };

    private static GroupMemberDescription ToMember(ConsumerGroupDescribeResponse.Member member) => new(
        member.MemberId, member.InstanceId, member.ClientId, member.ClientHost, Flatten(member.Assignment))
    {
        Epoch = member.MemberEpoch,
        Target = Flatten(member.TargetAssignment),
        IsClassic = member.MemberType == 0,
    };

    private static List<TopicPartition> Flatten(ConsumerGroupDescribeResponse.Assignment assignment) =>
        [.. assignment.TopicPartitions.SelectMany(topic => topic.Partitions, (topic, index) => new TopicPartition(topic.TopicName, index))];

    private static GroupMemberDescription ToMember(DescribeGroupsResponse.DescribedGroupMember member) => new(
        member.MemberId, member.GroupInstanceId, member.ClientId, member.ClientHost, AssignmentOf(member));

    // Groups of other kinds than consumers may keep anything there.
    private static List<TopicPartition> AssignmentOf(DescribeGroupsResponse.DescribedGroupMember member)
    {
        try
        {
            return GroupMessages.ReadAssignment(member.MemberAssignment);
        }
        catch (MalformedMessageException)
        {
            return [];
        }
    }

    private static string? Explain(ErrorCode error) => error switch
    {
        ErrorCode.None => null,
        ErrorCode.NonEmptyGroup => "it has members; stop them first",
        ErrorCode.GroupIdNotFound => "there is no such group",
        ErrorCode.GroupSubscribedToTopic => "a member of the group subscribes to that topic; stop it first",
        _ => null,
    };
}
