using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.Protocol.Messages.DescribeGroupsResponse;

namespace OrleansLog.Coordination.Groups;

/// <summary>Tells administrators what groups there are.</summary>
internal sealed class GroupListing(GroupStore store)
{
    /// <summary>The first version in which a group that does not exist is an error (KIP-1043).</summary>
    private const short GroupIdNotFoundVersion = 6;

    /// <summary>Empty filters let everything through; names are compared without regard to case.</summary>
    public CoordinatorResult<ListGroupsResponse> List(ListGroupsRequest request, long nowMs)
    {
        var listed = store.Groups.Where(group =>
            Passes(request.StatesFilter, group.StateName) && Passes(request.TypesFilter, group.TypeName));
        return new CoordinatorResult<ListGroupsResponse>(nowMs).With(new ListGroupsResponse { Groups = [.. listed.Select(ToListed)] });
    }

    public CoordinatorResult<DescribedGroup> Describe(CallContext context, string groupId, long nowMs) =>
        new CoordinatorResult<DescribedGroup>(nowMs).With(
            store.Find(groupId) is ClassicGroup group ? Describe(group) : DescribeNone(groupId, context.ApiVersion));

    private static bool Passes(List<string> filter, string name) =>
        filter.Count == 0 || filter.Contains(name, StringComparer.OrdinalIgnoreCase);

    private static ListGroupsResponse.ListedGroup ToListed(Group group) => new()
    {
        GroupId = group.Id,
        ProtocolType = group.ProtocolTypeName,
        GroupState = group.StateName,
        GroupType = group.TypeName,
    };

    private static DescribedGroup DescribeNone(string groupId, short version)
    {
        var none = new DescribedGroup { GroupId = groupId, GroupState = nameof(ClassicGroupState.Dead) };
        if (version >= GroupIdNotFoundVersion)
            (none.ErrorCode, none.ErrorMessage) = (ErrorCode.GroupIdNotFound, $"There is no classic group {groupId}.");
        return none;
    }

    private static DescribedGroup Describe(ClassicGroup group)
    {
        var protocol = group.State == ClassicGroupState.Stable ? group.Protocol : null;
        return new DescribedGroup
        {
            GroupId = group.Id,
            GroupState = group.StateName,
            ProtocolType = group.ProtocolTypeName,
            ProtocolData = protocol ?? "",
            Members = [.. group.Members.Select(member => Describe(member, protocol))],
        };
    }

    private static DescribedGroupMember Describe(ClassicMember member, string? protocol) => new()
    {
        MemberId = member.Id,
        GroupInstanceId = member.InstanceId,
        ClientId = member.ClientId,
        ClientHost = member.ClientHost,
        MemberMetadata = protocol is null ? default : member.MetadataFor(protocol),
        MemberAssignment = member.Assignment,
    };
}
