using System.Collections.Immutable;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Metadata;

/// <summary>
/// What the cluster looks like at one moment: its living brokers and its topics. Immutable; a change makes a new image,
/// so a request that took one sees a consistent whole.
/// </summary>
public sealed class ClusterImage
{
    private readonly ImmutableDictionary<Guid, string> _namesById;

    public ClusterImage(string clusterId, ImmutableArray<BrokerImage> brokers, ImmutableSortedDictionary<string, TopicImage> topics)
        : this(clusterId, brokers, topics, topics.Values.ToImmutableDictionary(topic => topic.Id, topic => topic.Name))
    {
    }

    private ClusterImage(
        string clusterId, ImmutableArray<BrokerImage> brokers, ImmutableSortedDictionary<string, TopicImage> topics, ImmutableDictionary<Guid, string> namesById)
    {
        ClusterId = clusterId;
        Brokers = brokers;
        Topics = topics;
        _namesById = namesById;
    }

    /// <summary>Drawn once, when the data directory was first used.</summary>
    public string ClusterId { get; }

    /// <summary>The brokers that are alive, as far as is known, by id.</summary>
    public ImmutableArray<BrokerImage> Brokers { get; }

    /// <summary>The brokers that are registered and not alive, as far as is known, by id: fenced ones, as Kafka says.</summary>
    public ImmutableArray<BrokerImage> Away { get; private init; } = [];

    /// <summary>The broker that tools are told to send changes of topics to; every broker takes them.</summary>
    public BrokerId Controller => Brokers.IsEmpty ? BrokerId.None : Brokers[0].Id;

    /// <summary>The topics by name, in ordinal order.</summary>
    public ImmutableSortedDictionary<string, TopicImage> Topics { get; }

    public TopicImage? FindTopic(string name) => Topics.GetValueOrDefault(name);

    public TopicImage? FindTopic(Guid id) => _namesById.TryGetValue(id, out var name) ? FindTopic(name) : null;

    public PartitionRecord? FindPartition(TopicPartition id) =>
        FindTopic(id.Topic) is { } topic && (uint)id.Partition < (uint)topic.Partitions.Length ? topic.Partitions[id.Partition] : null;

    /// <summary>The broker, if it is alive.</summary>
    public BrokerImage? FindBroker(BrokerId id) => Brokers.FirstOrDefault(broker => broker.Id == id);

    /// <summary>This image with the topic added, or put in the place of the one of its name.</summary>
    public ClusterImage With(TopicImage topic) =>
        new(ClusterId, Brokers, Topics.SetItem(topic.Name, topic), _namesById.SetItem(topic.Id, topic.Name)) { Away = Away };

    public ClusterImage Without(TopicImage topic) =>
        new(ClusterId, Brokers, Topics.Remove(topic.Name), _namesById.Remove(topic.Id)) { Away = Away };

    /// <summary>This image with a broker that has come, or come back.</summary>
    public ClusterImage With(BrokerImage broker) => With(Put(Brokers, broker), Drop(Away, broker.Id));

    /// <summary>This image with a broker gone.</summary>
    public ClusterImage Without(BrokerId broker) => FindBroker(broker) is { } gone ? WithAway(gone) : this;

    /// <summary>This image with a broker that is known and not there.</summary>
    public ClusterImage WithAway(BrokerImage broker) => With(Drop(Brokers, broker.Id), Put(Away, broker));

    /// <summary>This image without a broker that is not there.</summary>
    public ClusterImage Forgetting(BrokerId broker) => With(Brokers, Drop(Away, broker));

    private ClusterImage With(ImmutableArray<BrokerImage> living, ImmutableArray<BrokerImage> away) =>
        new(ClusterId, living, Topics, _namesById) { Away = away };

    private static ImmutableArray<BrokerImage> Put(ImmutableArray<BrokerImage> brokers, BrokerImage broker) =>
        [.. Drop(brokers, broker.Id).Append(broker).OrderBy(each => each.Id.Value)];

    private static ImmutableArray<BrokerImage> Drop(ImmutableArray<BrokerImage> brokers, BrokerId id) => brokers.RemoveAll(each => each.Id == id);
}

/// <summary>A broker and where clients reach it.</summary>
public sealed record BrokerImage(BrokerId Id, string Host, int Port, string? Rack = null);

/// <summary>A topic: its partitions by index and the configuration that was set for it.</summary>
public sealed record TopicImage(
    string Name, Guid Id, ImmutableArray<PartitionRecord> Partitions, ImmutableSortedDictionary<string, string> Config);
