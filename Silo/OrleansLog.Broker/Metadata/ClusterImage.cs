using System.Collections.Frozen;
using System.Collections.Immutable;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Metadata;

/// <summary>
/// What the cluster looks like at one moment: its brokers and topics. Immutable; a change makes a new image, so a
/// request that took one sees a consistent whole.
/// </summary>
public sealed class ClusterImage
{
    private readonly FrozenDictionary<Guid, TopicImage> _topicsById;

    public ClusterImage(string clusterId, ImmutableArray<BrokerImage> brokers, ImmutableSortedDictionary<string, TopicImage> topics)
    {
        ClusterId = clusterId;
        Brokers = brokers;
        Topics = topics;
        _topicsById = topics.Values.ToFrozenDictionary(topic => topic.Id);
    }

    /// <summary>Drawn once, when the data directory was first used.</summary>
    public string ClusterId { get; }

    public ImmutableArray<BrokerImage> Brokers { get; }

    /// <summary>The broker that tools are told to send changes of topics to; every broker takes them.</summary>
    public BrokerId Controller => Brokers[0].Id;

    /// <summary>The topics by name, in ordinal order.</summary>
    public ImmutableSortedDictionary<string, TopicImage> Topics { get; }

    public TopicImage? FindTopic(string name) => Topics.GetValueOrDefault(name);

    public TopicImage? FindTopic(Guid id) => _topicsById.GetValueOrDefault(id);

    public BrokerImage? FindBroker(BrokerId id) => Brokers.FirstOrDefault(broker => broker.Id == id);

    /// <summary>This image with the topic added, or put in the place of the one of its name.</summary>
    public ClusterImage With(TopicImage topic) => new(ClusterId, Brokers, Topics.SetItem(topic.Name, topic));

    public ClusterImage Without(string topic) => new(ClusterId, Brokers, Topics.Remove(topic));
}

/// <summary>A broker and where clients reach it.</summary>
public sealed record BrokerImage(BrokerId Id, string Host, int Port, string? Rack = null);

/// <summary>A topic: its partitions by index and the configuration that was set for it.</summary>
public sealed record TopicImage(
    string Name, Guid Id, ImmutableArray<PartitionImage> Partitions, ImmutableSortedDictionary<string, string> Config);

/// <summary>Who holds a partition and who leads it.</summary>
public sealed record PartitionImage(
    BrokerId Leader, LeaderEpoch LeaderEpoch, ImmutableArray<BrokerId> Replicas, ImmutableArray<BrokerId> InSyncReplicas);
