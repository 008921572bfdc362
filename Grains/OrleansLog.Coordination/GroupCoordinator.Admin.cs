using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination;

/// <content>Listing, describing and deleting groups.</content>
public sealed partial class GroupCoordinator
{
    /// <summary>
    /// The groups that this broker coordinates. While one of its partitions is being loaded the list would be
    /// incomplete, and the answer is <see cref="ErrorCode.CoordinatorLoadInProgress"/>.
    /// </summary>
    public async Task<ListGroupsResponse> ListGroupsAsync(CallContext context, ListGroupsRequest request)
    {
        var lists = await Answers.AllAsync(_elections.Values.Select(election => election.Runtime.RunAsync(
            (shard, _, now) => shard.ListGroups(request, now), error => new ListGroupsResponse { ErrorCode = error })))
            .WaitAsync(context.Cancellation);
        var response = new ListGroupsResponse();
        foreach (var list in lists)
        {
            if (list.ErrorCode is not (ErrorCode.None or ErrorCode.NotCoordinator))
                return new ListGroupsResponse { ErrorCode = CoordinatorErrors.ForGroups(list.ErrorCode) };
            response.Groups.AddRange(list.Groups);
        }
        return response;
    }

    /// <summary>Describes classic groups, in the order asked for. A group that does not exist is Dead.</summary>
    public async Task<DescribeGroupsResponse> DescribeGroupsAsync(CallContext context, DescribeGroupsRequest request)
    {
        var groups = request.Groups.ConvertAll(groupId => RouteAsync(
            context, groupId,
            (shard, _, now) => shard.DescribeGroup(context, groupId, now),
            error => new DescribeGroupsResponse.DescribedGroup { GroupId = groupId, ErrorCode = CoordinatorErrors.ForGroups(error) }));
        return new DescribeGroupsResponse { Groups = [.. await Answers.AllAsync(groups)] };
    }

    /// <summary>Deletes groups without members, and their offsets.</summary>
    public async Task<DeleteGroupsResponse> DeleteGroupsAsync(CallContext context, DeleteGroupsRequest request)
    {
        var results = request.GroupsNames.ConvertAll(groupId => DeleteGroupAsync(context, groupId));
        return new DeleteGroupsResponse { Results = [.. await Answers.AllAsync(results)] };
    }

    private async Task<DeleteGroupsResponse.DeletableGroupResult> DeleteGroupAsync(CallContext context, string groupId)
    {
        var error = ValidateGroupId(groupId) != ErrorCode.None ? ErrorCode.None : await DeleteShareStatesAsync(context, groupId);
        return error == ErrorCode.None ? await RouteAsync(context, groupId, (shard, _, now) => shard.DeleteGroup(groupId, now), Refuse) : Refuse(error);

        DeleteGroupsResponse.DeletableGroupResult Refuse(ErrorCode refused) => new() { GroupId = groupId, ErrorCode = CoordinatorErrors.ForGroups(refused) };
    }
}
