using OrleansLog.Protocol;

namespace OrleansLog.Client;

internal sealed class RangeAssignor : IPartitionAssignor
{
    public string Name => "range";

    public bool IsCooperative => false;

    public IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>> Assign(
        IReadOnlyList<GroupSubscription> members, IReadOnlyDictionary<string, int> partitionCounts)
    {
        var assignment = members.ToDictionary(member => member.MemberId, _ => new List<TopicPartition>());
        foreach (var (topic, count) in partitionCounts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var readers = members.Where(member => member.Topics.Contains(topic)).Order(MemberOrder.Instance).ToList();
            for (var i = 0; i < readers.Count; i++)
            {
                var from = FirstOf(i, readers.Count, count);
                var to = FirstOf(i + 1, readers.Count, count);
                for (var p = from; p < to; p++) assignment[readers[i].MemberId].Add(new TopicPartition(topic, p));
            }
        }
        return assignment.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<TopicPartition>)pair.Value);
    }

    // The first `partitions % readers` members take one partition more than the others.
    private static int FirstOf(int reader, int readers, int partitions) =>
        reader * (partitions / readers) + Math.Min(reader, partitions % readers);
}

/// <summary>Members by their lasting name, then by the coordinator's: a static member keeps its place when it restarts.</summary>
internal sealed class MemberOrder : IComparer<GroupSubscription>
{
    public static readonly MemberOrder Instance = new();

    public int Compare(GroupSubscription? x, GroupSubscription? y)
    {
        if (x!.GroupInstanceId is null != y!.GroupInstanceId is null) return x.GroupInstanceId is null ? 1 : -1;
        return string.CompareOrdinal(x.GroupInstanceId ?? x.MemberId, y.GroupInstanceId ?? y.MemberId);
    }
}
