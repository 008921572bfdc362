using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A way to share the partitions of a group's topics out among its members; runs at the member that leads the group.</summary>
public interface IPartitionAssignor
{
    /// <summary>Its name in the group protocol; members agree on a name.</summary>
    string Name { get; }

    /// <summary>Whether members keep their partitions during a rebalance and give up only what moves (KIP-429).</summary>
    bool IsCooperative { get; }

    /// <summary>Shares out all partitions of the topics that members subscribe to. Must not depend on the order of its input.</summary>
    /// <returns>The partitions of each member, by member id.</returns>
    IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>> Assign(
        IReadOnlyList<GroupSubscription> members, IReadOnlyDictionary<string, int> partitionCounts);
}

/// <summary>What one member of a group wants, and what it has.</summary>
/// <param name="MemberId">The coordinator's name for the member.</param>
/// <param name="GroupInstanceId">The member's own lasting name, if it has one.</param>
/// <param name="Topics">What it subscribes to.</param>
/// <param name="Owned">What it reads now; empty under an eager protocol.</param>
/// <param name="Generation">In which generation of the group it was given that; -1 if it does not say.</param>
public sealed record GroupSubscription(
    string MemberId,
    string? GroupInstanceId,
    IReadOnlyList<string> Topics,
    IReadOnlyList<TopicPartition> Owned,
    int Generation);
