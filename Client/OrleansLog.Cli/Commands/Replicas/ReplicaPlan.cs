using OrleansLog.Client;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// Where the replicas of the whole cluster are, or will be when the moves under way have ended, and where further ones
/// fit best. Every replica that it places counts from then on.
/// </summary>
internal sealed class ReplicaPlan
{
    private readonly IReadOnlyList<BrokerNode> _brokers;
    private readonly SortedDictionary<TopicPartition, IReadOnlyList<BrokerId>> _targets;
    private readonly Dictionary<BrokerId, int> _counts;

    /// <param name="brokers">The living brokers.</param>
    /// <param name="topics">Every topic.</param>
    /// <param name="moving">The moves under way.</param>
    public ReplicaPlan(
        IReadOnlyList<BrokerNode> brokers, IReadOnlyList<TopicDescription> topics, IReadOnlyList<PartitionReassignment> moving)
    {
        _brokers = brokers;
        var ends = moving.ToDictionary(move => move.Partition, move => (IReadOnlyList<BrokerId>)[.. move.Replicas.Except(move.Removing)]);
        _targets = new(Comparer<TopicPartition>.Create((a, b) => (a.Topic, a.Partition).CompareTo((b.Topic, b.Partition))));
        foreach (var topic in topics)
        {
            foreach (var partition in topic.Partitions)
            {
                var name = new TopicPartition(topic.Name, partition.Partition);
                _targets[name] = ends.GetValueOrDefault(name, partition.Replicas);
            }
        }
        _counts = _targets.Values.SelectMany(replicas => replicas).CountBy(broker => broker).ToDictionary();
    }

    public static async Task<ReplicaPlan> OfClusterAsync(AdminClient admin, CancellationToken cancellationToken)
    {
        // The moves first: one that ends in between has its end among the topics.
        var moving = await admin.ListPartitionReassignmentsAsync(null, cancellationToken);
        var (cluster, topics) = await admin.DescribeClusterContentsAsync(cancellationToken);
        return new ReplicaPlan(cluster.Brokers, topics, moving);
    }

    /// <summary>Whether the broker lives.</summary>
    public bool IsAlive(BrokerId broker) => _brokers.Any(one => one.Id == broker);

    /// <summary>The brokers that a partition is, or shall be, on.</summary>
    public IReadOnlyList<BrokerId> TargetOf(TopicPartition partition) => _targets[partition];

    /// <summary>The partitions that are, or shall be, on a broker.</summary>
    public IReadOnlyList<TopicPartition> PartitionsOf(BrokerId broker) =>
        [.. _targets.Where(pair => pair.Value.Contains(broker)).Select(pair => pair.Key)];

    /// <summary>Puts another broker in the place of one; null when no other living broker is free.</summary>
    public IReadOnlyList<BrokerId>? Replace(TopicPartition partition, BrokerId leaving)
    {
        var target = _targets[partition];
        if (Choose(target, [.. target.Where(broker => broker != leaving)]) is not { } coming) return null;
        _counts[leaving]--;
        return _targets[partition] = [.. target.Select(broker => broker == leaving ? coming : broker)];
    }

    /// <summary>Adds brokers at the end; null when not enough living ones are free.</summary>
    public IReadOnlyList<BrokerId>? Grow(TopicPartition partition, int factor)
    {
        var target = _targets[partition].ToList();
        while (target.Count < factor)
        {
            if (Choose(target, target) is not { } coming) return null;
            target.Add(coming);
        }
        return _targets[partition] = target;
    }

    // In a rack that the partition does not use, if there is one, then where the fewest replicas are.
    private BrokerId? Choose(IReadOnlyCollection<BrokerId> taken, IReadOnlyCollection<BrokerId> staying)
    {
        var racks = _brokers.Where(broker => staying.Contains(broker.Id)).Select(broker => broker.Rack).ToHashSet();
        var free = _brokers.Where(broker => !taken.Contains(broker.Id))
            .OrderBy(broker => broker.Rack is not null && racks.Contains(broker.Rack))
            .ThenBy(broker => _counts.GetValueOrDefault(broker.Id))
            .ThenBy(broker => broker.Id.Value)
            .ToList();
        if (free.Count == 0) return null;
        _counts[free[0].Id] = _counts.GetValueOrDefault(free[0].Id) + 1;
        return free[0].Id;
    }
}
