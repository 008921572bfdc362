using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Coordination.Groups;

/// <summary>
/// The consumer groups of one partition of <c>__consumer_offsets</c>: their members, generations, assignments and
/// committed offsets. The groups' rules are in the classes that it hands requests to, by the type of the group.
/// </summary>
internal sealed partial class GroupShard : ICoordinatorShard
{
    private const string CameFromConsumers = "it has come from the consumer protocol";

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
    private readonly ConsumerRebalance _consumerRebalance;
    private readonly ConsumerHeartbeat _consumerHeartbeat;
    private readonly ClassicMembers _classicMembers;
    private readonly ConsumerGroupListing _consumerListing;
    private readonly ITopicDirectory _topics;
    private readonly ShareHeartbeat _shareHeartbeat;
    private readonly ShareTopicsKeeping _shareTopics;
    private readonly Action<string> _settle;
    private readonly HashSet<short> _unknownVersions = [];

    /// <param name="options">The limits.</param>
    /// <param name="ports">What it works with.</param>
    /// <param name="settle">
    /// Told of a share group for which states are to be made or deleted. Called on the shard's turn or that of a commit; must not
    /// wait.
    /// </param>
    public GroupShard(GroupOptions options, GroupPorts ports, Action<string>? settle = null)
    {
        _options = options;
        var defaults = options.Timings;
        GroupTimings TimingsOf(string groupId) => ports.TimingsOf(groupId) ?? defaults;
        _logger = ports.Logger;
        _rebalance = new ClassicRebalance(options, _store, ports.Logger);
        _join = new ClassicJoin(options, _store, _rebalance, ports.NewId);
        _sync = new ClassicSync(_store, ports.Logger);
        _leave = new ClassicLeave(_store, _rebalance);
        _offsets = new GroupOffsets(options, _store, ports.Topics);
        _transactionalOffsets = new TransactionalOffsets(options, _store, ports.Topics);
        _expiry = new GroupExpiry(options, _store);
        _listing = new GroupListing(_store);
        var migration = new GroupMigration(options, ports.Topics, ports.Logger);
        _consumerRebalance = new ConsumerRebalance(options, TimingsOf, _store, ports.Topics, migration, ports.Logger);
        _consumerHeartbeat = new ConsumerHeartbeat(options, TimingsOf, _store, _consumerRebalance, migration, ports.NewId, ports.Logger);
        _classicMembers = new ClassicMembers(options, _consumerRebalance, migration, ports.Topics, ports.NewId);
        _consumerListing = new ConsumerGroupListing(options, _store, ports.Topics);
        _topics = ports.Topics;
        _settle = settle ?? (_ => { });
        _shareHeartbeat = new ShareHeartbeat(options, TimingsOf, _store, ports.Topics, _settle, ports.Logger);
        _shareTopics = new ShareTopicsKeeping(_store, ports.Topics);
    }

    public GroupStore Store => _store;

    public int Mark => _store.Mark;

    public CoordinatorResult<JoinGroupResponse> JoinGroup(
        CallContext context, JoinGroupRequest request, PendingReply<JoinGroupResponse> reply, long nowMs) =>
        _store.Find(request.GroupId) is ConsumerGroup { HasMetadata: true } group
            ? _classicMembers.Join(group, context, request, reply, nowMs)
            : _join.Join(context, request, reply, nowMs);

    public CoordinatorResult<SyncGroupResponse> SyncGroup(
        SyncGroupRequest request, PendingReply<SyncGroupResponse> reply, long nowMs) =>
        _store.Find(request.GroupId) is ConsumerGroup group
            ? _classicMembers.Sync(group, request, reply, nowMs)
            : _sync.Sync(request, reply, nowMs);

    public CoordinatorResult<HeartbeatResponse> Heartbeat(HeartbeatRequest request, long nowMs) =>
        _store.Find(request.GroupId) is ConsumerGroup group
            ? _classicMembers.Heartbeat(group, request, nowMs)
            : _sync.Heartbeat(request, nowMs);

    public CoordinatorResult<LeaveGroupResponse> LeaveGroup(CallContext context, LeaveGroupRequest request, long nowMs) =>
        _store.Find(request.GroupId) is ConsumerGroup group
            ? _classicMembers.Leave(group, context, request, nowMs)
            : _leave.Leave(context, request, nowMs);

    public CoordinatorResult<ConsumerGroupHeartbeatResponse> ConsumerHeartbeat(
        CallContext context, ConsumerGroupHeartbeatRequest request, long nowMs) =>
        _consumerHeartbeat.Heartbeat(context, request, nowMs);

    public CoordinatorResult<ConsumerGroupDescribeResponse.DescribedGroup> DescribeConsumerGroup(string groupId, long nowMs) =>
        _consumerListing.Describe(groupId, nowMs);

    public CoordinatorResult<OffsetCommitResponse> OffsetCommit(CallContext context, OffsetCommitRequest request, long nowMs) =>
        _offsets.Commit(context, request, nowMs);

    public CoordinatorResult<OffsetFetchResponse.OffsetFetchResponseGroup> OffsetFetch(
        OffsetFetchRequest.OffsetFetchRequestGroup request, bool requireStable, long nowMs) =>
        _offsets.Fetch(request, requireStable, nowMs);

    /// <inheritdoc cref="TransactionalOffsets.Commit"/>
    public CoordinatorResult<TxnOffsetCommitResponse> TxnOffsetCommit(TxnOffsetCommitRequest request, CoordinatorsWord? verified, long nowMs) =>
        _transactionalOffsets.Commit(request, verified, nowMs);

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
        _store.RollBack(mark, group => RefuseAll(result, group, error), group => RestartTimers(result, group));
        return result;
    }

    public CoordinatorResult Loaded(long nowMs)
    {
        var result = new CoordinatorResult(nowMs) { IsAtomic = false };
        result.SetTimer(GroupExpiry.Timer, _options.OffsetsRetentionCheckIntervalMs);
        foreach (var group in _store.Groups.OfType<ConsumerGroup>())
            _consumerRebalance.RestartTimers(result, group);
        foreach (var group in _store.Groups.OfType<ShareGroup>())
            Loaded(result, group);
        foreach (var group in _store.Groups.OfType<ClassicGroup>().ToList())
        {
            RestartSessions(result, group);
            if (group.MemberCount > _options.MaxGroupSize)
                _rebalance.Begin(result, group, "the group is over its size");
            else if (group is { MemberCount: > 0, LeaderId: null })
                _rebalance.Begin(result, group, CameFromConsumers);
        }
        return result;
    }

    public CoordinatorResult TimerDue(TimerKey key, long nowMs)
    {
        if (key.Kind == TimerKind.Expiry)
            return _expiry.Expire(nowMs);
        var result = new CoordinatorResult(nowMs);
        if (_store.Find(key.Group) is ConsumerGroup consumers)
            _consumerRebalance.TimeUp(result, consumers, key);
        else if (_store.Find(key.Group) is ShareGroup sharing)
            _shareHeartbeat.TimeUp(result, sharing, key);
        else if (_store.Find(key.Group) is ClassicGroup group)
            TimerDue(result, group, key);
        return result;
    }

    private void TimerDue(CoordinatorResult result, ClassicGroup group, TimerKey key)
    {
        if (key.Kind == TimerKind.Downgraded)
            _rebalance.Begin(result, group, CameFromConsumers);
        else if (key.Kind == TimerKind.Join)
            _rebalance.JoinTimeUp(result, group);
        else if (key.Kind == TimerKind.Sync)
            _rebalance.SyncTimeUp(result, group);
        else
            _rebalance.SessionTimeUp(result, group, key.Member);
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

    private void RestartTimers(CoordinatorResult result, Group group)
    {
        if (group is ConsumerGroup consumers)
            _consumerRebalance.RestartTimers(result, consumers);
        else if (group is ShareGroup sharing)
            _shareHeartbeat.RestartTimers(result, sharing);
        else if (group is ClassicGroup classic)
            RestartSessions(result, classic);
    }

    private static void RestartSessions(CoordinatorResult result, ClassicGroup group)
    {
        foreach (var member in group.Members)
            ClassicRebalance.RestartSession(result, group, member);
    }
}
