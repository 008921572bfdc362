using System.Collections.Immutable;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Metadata;

/// <summary>What is known of the cluster at one time. Immutable.</summary>
internal sealed record ClusterView(
    string ClusterId,
    BrokerId Controller,
    ImmutableArray<BrokerNode> Brokers,
    ImmutableDictionary<string, TopicView> Topics)
{
    public static readonly ClusterView Empty =
        new("", BrokerId.None, [], ImmutableDictionary<string, TopicView>.Empty);

    /// <summary>This view with what a broker answered laid over it.</summary>
    public ClusterView With(MetadataResponse response)
    {
        var topics = Topics.ToBuilder();
        foreach (var topic in response.Topics.Where(topic => topic.Name is not null))
        {
            topics[topic.Name!] = TopicView.From(topic, Topics.GetValueOrDefault(topic.Name!));
        }
        var brokers = response.Brokers
            .Select(broker => new BrokerNode(new BrokerId(broker.NodeId), broker.Host, broker.Port, broker.Rack));
        return new ClusterView(
            response.ClusterId ?? ClusterId, new BrokerId(response.ControllerId), [.. brokers], topics.ToImmutable());
    }

    /// <summary>This view after a broker said who leads a partition instead of itself (KIP-951).</summary>
    public ClusterView WithLeader(TopicPartition partition, BrokerId leader, LeaderEpoch epoch)
    {
        if (!Topics.TryGetValue(partition.Topic, out var topic) || partition.Partition >= topic.Partitions.Length) return this;
        var view = topic.Partitions[partition.Partition];
        if (view.LeaderEpoch >= epoch || !Brokers.Any(broker => broker.Id == leader)) return this;
        var partitions = topic.Partitions.SetItem(partition.Partition, view with { Leader = leader, LeaderEpoch = epoch });
        return this with { Topics = Topics.SetItem(topic.Name, topic with { Partitions = partitions }) };
    }

    /// <summary>The partition, or null while it is not known.</summary>
    public PartitionView? Find(TopicPartition partition) =>
        Topics.TryGetValue(partition.Topic, out var topic) && (uint)partition.Partition < (uint)topic.Partitions.Length
            ? topic.Partitions[partition.Partition]
            : null;
}
