using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Keeps what members have as far as balance allows, then evens out. A partition that moves is given to nobody in this
/// round, for its old owner must let go of it first; the rebalance that follows hands it over (KIP-429).
/// </summary>
internal sealed class CooperativeStickyAssignor : IPartitionAssignor
{
    public string Name => "cooperative-sticky";

    public bool IsCooperative => true;

    public IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>> Assign(
        IReadOnlyList<GroupSubscription> members, IReadOnlyDictionary<string, int> partitionCounts)
    {
        var owners = FindOwners(members, partitionCounts);
        var balance = new StickyBalance(members, owners);
        foreach (var partition in RoundRobinAssignor.PartitionsInOrder(partitionCounts)) balance.Place(partition);
        balance.EvenOut();
        return balance.Result.ToDictionary(
            pair => pair.Key,
            pair => (IReadOnlyList<TopicPartition>)[.. pair.Value.Where(partition => MayTake(owners, partition, pair.Key))]);
    }

    private static bool MayTake(Dictionary<TopicPartition, string> owners, TopicPartition partition, string member) =>
        !owners.TryGetValue(partition, out var owner) || owner == member;

    // Two members may claim one partition after a missed round: the later generation is right, and on a tie neither is.
    private static Dictionary<TopicPartition, string> FindOwners(
        IReadOnlyList<GroupSubscription> members, IReadOnlyDictionary<string, int> partitionCounts)
    {
        var claims = from member in members
                     from partition in member.Owned
                     where partitionCounts.TryGetValue(partition.Topic, out var count) && partition.Partition < count
                     where member.Topics.Contains(partition.Topic)
                     group member by partition;
        var owners = new Dictionary<TopicPartition, string>();
        foreach (var claim in claims)
        {
            var latest = claim.Max(member => member.Generation);
            var claimants = claim.Where(member => member.Generation == latest).ToList();
            if (claimants.Count == 1) owners[claim.Key] = claimants[0].MemberId;
        }
        return owners;
    }
}
