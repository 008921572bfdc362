#pragma warning disable CA1822 // handlers follow in the next commit
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

internal sealed class GroupShard(GroupOptions options, GroupPorts ports) : ICoordinatorShard
{
    public GroupOptions Options => options;
    public GroupPorts Ports => ports;
    public int Mark => 0;
    public void Replay(StateRecord record) { }
    public void Load(Offset offset, in CoordinatorRecord record) { }
    public void Accept() { }
    public CoordinatorResult RollBack(int mark, ErrorCode error, long nowMs) => new(nowMs);
    public CoordinatorResult Loaded(long nowMs) => new(nowMs);
    public CoordinatorResult TimerDue(TimerKey key, long nowMs) => new(nowMs);
    public CoordinatorResult Unload(ErrorCode error, long nowMs) => new(nowMs);

    public CoordinatorResult<JoinGroupResponse> JoinGroup(CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, long nowMs) => No<JoinGroupResponse>(reply, nowMs);
    public CoordinatorResult<SyncGroupResponse> SyncGroup(SyncGroupRequest request, PendingReply<SyncGroupResponse> reply, long nowMs) => No<SyncGroupResponse>(reply, nowMs);
    public CoordinatorResult<HeartbeatResponse> Heartbeat(HeartbeatRequest request, long nowMs) => new CoordinatorResult<HeartbeatResponse>(nowMs).With(new() { ErrorCode = ErrorCode.CoordinatorNotAvailable });
    public CoordinatorResult<LeaveGroupResponse> LeaveGroup(CallContext context, LeaveGroupRequest request, long nowMs) => new CoordinatorResult<LeaveGroupResponse>(nowMs).With(new() { ErrorCode = ErrorCode.CoordinatorNotAvailable });
    public CoordinatorResult<OffsetCommitResponse> OffsetCommit(CallContext context, OffsetCommitRequest request, long nowMs) => new CoordinatorResult<OffsetCommitResponse>(nowMs).With(OffsetAnswers.Refuse(request, ErrorCode.CoordinatorNotAvailable));
    public CoordinatorResult<OffsetFetchResponse.OffsetFetchResponseGroup> OffsetFetch(OffsetFetchRequest.OffsetFetchRequestGroup request, bool requireStable, long nowMs) => new CoordinatorResult<OffsetFetchResponse.OffsetFetchResponseGroup>(nowMs).With(new() { GroupId = request.GroupId, ErrorCode = ErrorCode.CoordinatorNotAvailable });
    public CoordinatorResult<OffsetDeleteResponse> OffsetDelete(OffsetDeleteRequest request, long nowMs) => new CoordinatorResult<OffsetDeleteResponse>(nowMs).With(new() { ErrorCode = ErrorCode.CoordinatorNotAvailable });
    public CoordinatorResult<GroupCoordinator.Forgotten> ForgetPartitions(IReadOnlyCollection<TopicPartition> partitions, long nowMs) => new CoordinatorResult<GroupCoordinator.Forgotten>(nowMs).With(new(ErrorCode.None));
    public CoordinatorResult<ListGroupsResponse> ListGroups(ListGroupsRequest request, long nowMs) => new CoordinatorResult<ListGroupsResponse>(nowMs).With(new());
    public CoordinatorResult<DescribeGroupsResponse.DescribedGroup> DescribeGroup(CallContext context, string groupId, long nowMs) => new CoordinatorResult<DescribeGroupsResponse.DescribedGroup>(nowMs).With(new() { GroupId = groupId, ErrorCode = ErrorCode.CoordinatorNotAvailable });
    public CoordinatorResult<DeleteGroupsResponse.DeletableGroupResult> DeleteGroup(string groupId, long nowMs) => new CoordinatorResult<DeleteGroupsResponse.DeletableGroupResult>(nowMs).With(new() { GroupId = groupId, ErrorCode = ErrorCode.CoordinatorNotAvailable });

    private static CoordinatorResult<T> No<T>(PendingReply<T> reply, long nowMs) where T : class
    {
        var result = new CoordinatorResult<T>(nowMs);
        result.Refuse(reply, ErrorCode.CoordinatorNotAvailable);
        return result;
    }
}
