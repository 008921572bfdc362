using OrleansLog.Protocol;

namespace OrleansLog.Client;

internal sealed class RoundRobinAssignor : IPartitionAssignor
{
    public string Name => "roundrobin";

    public bool IsCooperative => false;

    public IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>> Assign(
        IReadOnlyList<GroupSubscription> members, IReadOnlyDictionary<string, int> partitionCounts)
    {
        var ring = members.Order(MemberOrder.Instance).ToList();
        var assignment = ring.ToDictionary(member => member.MemberId, _ => new List<TopicPartition>());
        var next = 0;
        foreach (var partition in PartitionsInOrder(partitionCounts))
        {
            if (!ring.Exists(member => member.Topics.Contains(partition.Topic))) continue;
            while (!ring[next % ring.Count].Topics.Contains(partition.Topic)) next++;
            assignment[ring[next++ % ring.Count].MemberId].Add(partition);
        }
        return assignment.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<TopicPartition>)pair.Value);
    }

    internal static IEnumerable<TopicPartition> PartitionsInOrder(IReadOnlyDictionary<string, int> partitionCounts) =>
        from pair in partitionCounts.OrderBy(pair => pair.Key, StringComparer.Ordinal)
        from partition in Enumerable.Range(0, pair.Value)
        select new TopicPartition(pair.Key, partition);
}
