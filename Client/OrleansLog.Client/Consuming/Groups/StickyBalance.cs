using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>The partitions of each member while an assignment is being worked out.</summary>
internal sealed class StickyBalance
{
    private readonly List<GroupSubscription> _members;
    private readonly Dictionary<TopicPartition, string> _owners;

    public StickyBalance(IReadOnlyList<GroupSubscription> members, Dictionary<TopicPartition, string> owners)
    {
        (_members, _owners) = ([.. members.Order(MemberOrder.Instance)], owners);
        Result = _members.ToDictionary(member => member.MemberId, _ => new List<TopicPartition>());
    }

    public Dictionary<string, List<TopicPartition>> Result { get; }

    /// <summary>Leaves a partition with its owner, or gives it to the reader who has least.</summary>
    public void Place(TopicPartition partition)
    {
        if (_owners.TryGetValue(partition, out var owner))
        {
            Result[owner].Add(partition);
            return;
        }
        _unowned.Add(partition);
    }

    private readonly List<TopicPartition> _unowned = [];

    /// <summary>Hands out what nobody owns, then moves single partitions while that makes the counts more even.</summary>
    public void EvenOut()
    {
        foreach (var partition in _unowned)
        {
            if (LeastLoadedReader(partition.Topic) is { } reader) Result[reader].Add(partition);
        }
        while (FindMove() is { } move)
        {
            Result[move.From].Remove(move.Partition);
            Result[move.To].Add(move.Partition);
        }
    }

    private (TopicPartition Partition, string From, string To)? FindMove()
    {
        foreach (var from in _members.OrderByDescending(member => Result[member.MemberId].Count))
        {
            var held = Result[from.MemberId];
            for (var i = held.Count - 1; i >= 0; i--)
            {
                var to = LeastLoadedReader(held[i].Topic)!;
                if (Result[to].Count + 1 < held.Count) return (held[i], from.MemberId, to);
            }
        }
        return null;
    }

    private string? LeastLoadedReader(string topic) => _members
        .Where(member => member.Topics.Contains(topic))
        .MinBy(member => Result[member.MemberId].Count)?.MemberId;
}
