using OrleansLog.Coordination.Runtime;

namespace OrleansLog.Coordination.Groups;

/// <content>All that the groups have committed.</content>
internal sealed partial class GroupShard
{
    public CoordinatorResult<GroupCommits> ReadCommits(long nowMs) => new CoordinatorResult<GroupCommits>(nowMs).With(new GroupCommits(
    [
        .. from @group in _store.Groups
           from commit in @group.Offsets
           select new GroupCommit(@group.Id, commit.Key, commit.Value.Offset, commit.Value.LeaderEpoch, commit.Value.Metadata),
    ]));
}

/// <summary>An answer of a shard: what its groups have committed; null when it cannot tell.</summary>
internal sealed record GroupCommits(IReadOnlyList<GroupCommit>? All);
