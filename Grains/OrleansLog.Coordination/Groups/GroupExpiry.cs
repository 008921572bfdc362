using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.ShareGroups;
using OrleansLog.Protocol;
using static OrleansLog.Protocol.Messages.DeleteGroupsResponse;

namespace OrleansLog.Coordination.Groups;

/// <summary>Deletes groups and offsets: because they have expired, because their topic is gone, or on request.</summary>
internal sealed class GroupExpiry(GroupOptions options, GroupStore store)
{
    public static readonly TimerKey Timer = new(TimerKind.Expiry);

    /// <summary>Looks through all groups, and comes back for it.</summary>
    public CoordinatorResult Expire(long nowMs)
    {
        var result = new CoordinatorResult(nowMs) { IsAtomic = false };
        foreach (var group in store.Groups)
            Expire(result, group);
        result.SetTimer(Timer, options.OffsetsRetentionCheckIntervalMs);
        return result;
    }

    /// <summary>Deletes what was committed for partitions that exist no more.</summary>
    public CoordinatorResult<GroupCoordinator.Forgotten> Forget(IReadOnlyCollection<TopicPartition> partitions, long nowMs)
    {
        var result = new CoordinatorResult<GroupCoordinator.Forgotten>(nowMs) { IsAtomic = false };
        foreach (var group in store.Groups)
        {
            foreach (var partition in partitions.Where(group.Offsets.ContainsKey))
                result.Append(new OffsetCommitRecord(group.Id, partition, null));
        }
        return result.With(new GroupCoordinator.Forgotten(ErrorCode.None));
    }

    public CoordinatorResult<DeletableGroupResult> Delete(string groupId, long nowMs)
    {
        var result = new CoordinatorResult<DeletableGroupResult>(nowMs) { IsAtomic = false };
        var group = store.Find(groupId);
        var error = group switch
        {
            null => ErrorCode.GroupIdNotFound,
            { IsEmpty: false } or ShareGroup { State.Topics.IsEmpty: false } => ErrorCode.NonEmptyGroup,
            _ => ErrorCode.None,
        };
        if (error == ErrorCode.None)
            Delete(result, group!);
        return result.With(new DeletableGroupResult { GroupId = groupId, ErrorCode = error });
    }

    private static void Delete(CoordinatorResult result, Group group)
    {
        foreach (var partition in group.Offsets.Keys)
            result.Append(new OffsetCommitRecord(group.Id, partition, null));
        AppendTombstones(result, group);
    }

    private void Expire(CoordinatorResult result, Group group)
    {
        var kept = 0;
        foreach (var (partition, offset) in group.Offsets)
        {
            if (HasExpired(group, partition, offset, result.NowMs))
                result.Append(new OffsetCommitRecord(group.Id, partition, null));
            else
                kept++;
        }
        if (kept == 0 && group is { IsEmpty: true, HasMetadata: true, Expires: true })
            AppendTombstones(result, group);
    }

    private static void AppendTombstones(CoordinatorResult result, Group group)
    {
        foreach (var record in group.Tombstones())
            result.Append(record);
    }

    private bool HasExpired(Group group, TopicPartition partition, in CommittedOffset offset, long nowMs)
    {
        if (group.RetentionStartMs(offset) is not { } start || group.IsSubscribedTo(partition.Topic))
            return false;
        return offset.ExpireTimestampMs is { } expiry ? nowMs >= expiry : nowMs - start >= options.OffsetsRetentionMs;
    }
}
