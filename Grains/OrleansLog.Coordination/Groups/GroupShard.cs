using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Coordination.Groups;

/// <summary>
/// The consumer groups of one partition of <c>__consumer_offsets</c>: their members, generations, assignments and
/// committed offsets. The groups' rules are in the classes that it hands requests to; a further group type (KIP-848,
/// KIP-932) is one more of them, over the same store.
/// </summary>
internal sealed class GroupShard : ICoordinatorShard
{
    private readonly GroupOptions _options;
    private readonly ILogger _logger;
    private readonly GroupStore _store = new();
    private readonly ClassicRebalance _rebalance;
    private readonly ClassicJoin _join;
    private readonly ClassicSync _sync;
    private readonly ClassicLeave _leave;
    private readonly GroupOffsets _offsets;
    private readonly TransactionalOffsets _transactionalOffsets;
    private readonly GroupExpiry _expiry;
    private readonly GroupListing _listing;
    private readonly HashSet<short> _unknownVersions = [];

    public GroupShard(GroupOptions options, GroupPorts ports)
    {
        _options = options;
        _logger = ports.Logger;
        _rebalance = new ClassicRebalance(options, _store, ports.Logger);
        _join = new ClassicJoin(options, _store, _rebalance, ports.NewId);
        _sync = new ClassicSync(_store, ports.Logger);
        _leave = new ClassicLeave(_store, _rebalance);
        _offsets = new GroupOffsets(options, _store, ports.Topics);
        _transactionalOffsets = new TransactionalOffsets(options, _store, ports.Topics);
        _expiry = new GroupExpiry(options, _store);
        _listing = new GroupListing(_store);
    }

    public GroupStore Store => _store;

    public int Mark => _store.Mark;

    public CoordinatorResult<JoinGroupResponse> JoinGroup(
        CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, long nowMs) =>
        _join.Join(context, request, reply, nowMs);

    public CoordinatorResult<SyncGroupResponse> SyncGroup(
        SyncGroupRequest request, PendingReply<SyncGroupResponse> reply, long nowMs) =>
        _sync.Sync(request, reply, nowMs);

    public CoordinatorResult<HeartbeatResponse> Heartbeat(HeartbeatRequest request, long nowMs) =>
        _sync.Heartbeat(request, nowMs);

    public CoordinatorResult<LeaveGroupResponse> LeaveGroup(CallContext context, LeaveGroupRequest request, long nowMs) =>
        _leave.Leave(context, request, nowMs);

    public CoordinatorResult<OffsetCommitResponse> OffsetCommit(CallContext context, OffsetCommitRequest request, long nowMs) =>
        _offsets.Commit(context, request, nowMs);

    public CoordinatorResult<OffsetFetchResponse.OffsetFetchResponseGroup> OffsetFetch(
        OffsetFetchRequest.OffsetFetchRequestGroup request, bool requireStable, long nowMs) =>
        _offsets.Fetch(request, requireStable, nowMs);

    /// <inheritdoc cref="TransactionalOffsets.Commit"/>
    public CoordinatorResult<TxnOffsetCommitResponse> TxnOffsetCommit(TxnOffsetCommitRequest request, Offset? verifiedAt, long nowMs) =>
        _transactionalOffsets.Commit(request, verifiedAt, nowMs);

    /// <inheritdoc cref="TransactionalOffsets.End"/>
    public static CoordinatorResult<GroupCoordinator.Ended> EndTransaction(EndTransactionMarker marker, bool hasNewEpoch, long nowMs) =>
        TransactionalOffsets.End(marker, hasNewEpoch, nowMs);

    public CoordinatorResult<OffsetDeleteResponse> OffsetDelete(OffsetDeleteRequest request, long nowMs) =>
        _offsets.Delete(request, nowMs);

    public CoordinatorResult<GroupCoordinator.Forgotten> ForgetPartitions(
        IReadOnlyCollection<TopicPartition> partitions, long nowMs) => _expiry.Forget(partitions, nowMs);

    public CoordinatorResult<ListGroupsResponse> ListGroups(ListGroupsRequest request, long nowMs) =>
        _listing.List(request, nowMs);

    public CoordinatorResult<DescribeGroupsResponse.DescribedGroup> DescribeGroup(CallContext context, string groupId, long nowMs) =>
        _listing.Describe(context, groupId, nowMs);

    public CoordinatorResult<DeleteGroupsResponse.DeletableGroupResult> DeleteGroup(string groupId, long nowMs) =>
        _expiry.Delete(groupId, nowMs);

    public void Replay(StateRecord record) => _store.Replay(record);

    public void Load(Offset offset, in CoordinatorRecord record)
    {
        if (GroupRecordReader.Read(record) is { } change)
            _store.Replay(change);
        else if (VersionedCodec.TryReadVersion(record.Key, out var version) && _unknownVersions.Add(version))
            _logger.LogWarning("The record at offset {Offset} (key version {Version}) is of a kind not known here; such records are passed over.", offset, version);
    }

    public void LoadTransactional(TransactionWrite transaction, in CoordinatorRecord record)
    {
        if (transaction.Marker is { } marker)
            _store.Replay(new TransactionEndRecord(marker.ProducerId, marker.IsCommit));
        else if (GroupRecordReader.Read(record) is OffsetCommitRecord commit)
            _store.Replay(new PendingOffsetRecord(transaction.ProducerId, commit));
    }

    public void Accept() => _store.Accept();

    public CoordinatorResult RollBack(int mark, ErrorCode error, long nowMs)
    {
        var result = new CoordinatorResult(nowMs);
        _store.RollBack(mark, group => RefuseAll(result, group, error), group => RestartSessions(result, group));
        return result;
    }

    public CoordinatorResult Loaded(long nowMs)
    {
        var result = new CoordinatorResult(nowMs) { IsAtomic = false };
        result.SetTimer(GroupExpiry.Timer, _options.OffsetsRetentionCheckIntervalMs);
        foreach (var group in _store.Groups.OfType<ClassicGroup>().ToList())
        {
            RestartSessions(result, group);
            if (group.MemberCount > _options.MaxGroupSize)
                _rebalance.Begin(result, group, "the group is over its size");
        }
        return result;
    }

    public CoordinatorResult TimerDue(TimerKey key, long nowMs)
    {
        if (key.Kind == TimerKind.Expiry)
            return _expiry.Expire(nowMs);
        var result = new CoordinatorResult(nowMs);
        if (_store.Find(key.Group) is not ClassicGroup group)
            return result;
        if (key.Kind == TimerKind.Join)
            _rebalance.JoinTimeUp(result, group);
        else if (key.Kind == TimerKind.Sync)
            _rebalance.SyncTimeUp(result, group);
        else
            _rebalance.SessionTimeUp(result, group, key.Member);
        return result;
    }

    public CoordinatorResult Unload(ErrorCode error, long nowMs)
    {
        var result = new CoordinatorResult(nowMs);
        foreach (var group in _store.Groups.OfType<ClassicGroup>())
            RefuseAll(result, group, error);
        return result;
    }

    private static void RefuseAll(CoordinatorResult result, ClassicGroup group, ErrorCode error)
    {
        foreach (var member in group.Members)
        {
            result.Refuse(member.Join, error);
            result.Refuse(member.Sync, error);
        }
    }

    private static void RestartSessions(CoordinatorResult result, ClassicGroup group)
    {
        foreach (var member in group.Members)
            ClassicRebalance.RestartSession(result, group, member);
    }
}
