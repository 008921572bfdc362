using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Groups;

/// <summary>Passes the leader's assignment on to the members, and hears that they live.</summary>
internal sealed class ClassicSync(GroupStore store, ILogger logger)
{
    public CoordinatorResult<SyncGroupResponse> Sync(SyncGroupRequest request, PendingReply<SyncGroupResponse> reply, long nowMs)
    {
        var result = new CoordinatorResult<SyncGroupResponse>(nowMs);
        var group = store.Find(request.GroupId) as ClassicGroup;
        var error = Validate(group, request);
        if (error != ErrorCode.None)
        {
            result.Refuse(reply, error);
            return result;
        }
        Synced(result, group!, request.MemberId);
        return group!.State == ClassicGroupState.Stable
            ? result.With(Answer(group, group.Find(request.MemberId)!.Assignment))
            : Wait(result, group, request, reply);
    }

    public CoordinatorResult<HeartbeatResponse> Heartbeat(HeartbeatRequest request, long nowMs)
    {
        var result = new CoordinatorResult<HeartbeatResponse>(nowMs);
        var group = store.Find(request.GroupId) as ClassicGroup;
        var error = group?.ValidateMember(request.MemberId, request.GroupInstanceId, request.GenerationId)
            ?? ErrorCode.UnknownMemberId;
        if (error == ErrorCode.None)
        {
            ClassicRebalance.RestartSession(result, group!, group!.Find(request.MemberId)!);
            if (group.State == ClassicGroupState.PreparingRebalance)
                error = ErrorCode.RebalanceInProgress;
        }
        return result.With(new HeartbeatResponse { ErrorCode = error });
    }

    private static ErrorCode Validate(ClassicGroup? group, SyncGroupRequest request)
    {
        if (group is null)
            return ErrorCode.UnknownMemberId;
        var error = group.ValidateMember(request.MemberId, request.GroupInstanceId, request.GenerationId);
        if (error != ErrorCode.None)
            return error;
        if (Differs(request.ProtocolType, group.ProtocolType) || Differs(request.ProtocolName, group.Protocol))
            return ErrorCode.InconsistentGroupProtocol;
        return group.State == ClassicGroupState.PreparingRebalance ? ErrorCode.RebalanceInProgress : ErrorCode.None;
    }

    private static bool Differs(string? asked, string? present) => asked is not null && present is not null && asked != present;

    private static void Synced(CoordinatorResult result, ClassicGroup group, string memberId)
    {
        group.PendingSync.Remove(memberId);
        if (group.PendingSync.Count == 0)
            result.CancelTimer(ClassicRebalance.SyncTimer(group));
    }

    private CoordinatorResult<SyncGroupResponse> Wait(
        CoordinatorResult<SyncGroupResponse> result, ClassicGroup group, SyncGroupRequest request, PendingReply<SyncGroupResponse> reply)
    {
        var member = group.Find(request.MemberId)!;
        result.Refuse(member.Sync, ErrorCode.RebalanceInProgress);
        member.Sync = reply;
        if (group.IsLeader(member.Id))
            Assign(result, group, request);
        return result;
    }

    /// <summary>The record of the assignment makes the group stable; the members hear of it once that is committed.</summary>
    private void Assign(CoordinatorResult result, ClassicGroup group, SyncGroupRequest request)
    {
        var assignments = new Dictionary<string, ReadOnlyMemory<byte>>();
        foreach (var assignment in request.Assignments)
            assignments[assignment.MemberId] = assignment.Assignment.ToArray();
        logger.LogInformation(
            "Group {Group} is assigned by {Leader} in generation {Generation}.", group.Id, request.MemberId, group.Generation);
        result.Append(new GroupMetadataRecord(group.Id, group.ToStable(assignments, result.NowMs)));
        foreach (var member in group.Members)
        {
            if (member.Sync is null)
                continue;
            result.Settle(member.Sync, Answer(group, assignments.GetValueOrDefault(member.Id)));
            member.Sync = null;
            ClassicRebalance.RestartSession(result, group, member);
        }
    }

    private static SyncGroupResponse Answer(ClassicGroup group, ReadOnlyMemory<byte> assignment) => new()
    {
        ProtocolType = group.ProtocolType,
        ProtocolName = group.Protocol,
        Assignment = assignment,
    };
}
