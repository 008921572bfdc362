using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <content>Share groups (KIP-932).</content>
internal sealed partial class GroupShard
{
    /// <inheritdoc cref="ShareHeartbeat.Heartbeat"/>
    public CoordinatorResult<ShareGroupHeartbeatResponse> ShareHeartbeat(CallContext context, ShareGroupHeartbeatRequest request, long nowMs) =>
        _shareHeartbeat.Heartbeat(context, request, nowMs);

    /// <inheritdoc cref="ShareGroupListing.Describe"/>
    public CoordinatorResult<ShareGroupDescribeResponse.DescribedGroup> DescribeShareGroup(string groupId, long nowMs) =>
        new ShareGroupListing(_store, _topics).Describe(groupId, nowMs);

    /// <inheritdoc cref="ShareTopicsKeeping"/>
    public ShareTopicsKeeping ShareTopics => _shareTopics;

    private void Loaded(CoordinatorResult result, ShareGroup group)
    {
        _shareHeartbeat.RestartTimers(result, group);
        if (group.State.Topics is not { Initializing.IsEmpty: true, Deleting.IsEmpty: true })
            result.WhenCommitted(() => _settle(group.Id));
    }
}
