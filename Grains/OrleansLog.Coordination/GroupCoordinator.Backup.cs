using OrleansLog.Coordination.Groups;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination;

/// <content>All that groups have committed, to be kept elsewhere.</content>
public sealed partial class GroupCoordinator
{
    /// <summary>
    /// What all groups of a partition of <see cref="TopicName"/> have committed; null while this broker does not coordinate them,
    /// or does not know yet. What transactions have not committed is not among it.
    /// </summary>
    public async Task<IReadOnlyList<GroupCommit>?> ReadCommitsAsync(int partition) =>
        _elections.TryGetValue(partition, out var election)
            ? (await election.Runtime.RunAsync((shard, _, now) => shard.ReadCommits(now), static _ => new GroupCommits(null))).All
            : null;
}

/// <summary>How far a group has read a partition.</summary>
/// <param name="Group">The group.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The next offset to read.</param>
/// <param name="LeaderEpoch">The epoch of the last record read; none if the group did not say.</param>
/// <param name="Metadata">The client's own note.</param>
public sealed record GroupCommit(string Group, TopicPartition Partition, Offset Offset, LeaderEpoch LeaderEpoch, string Metadata);
