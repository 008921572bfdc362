using System.Collections.Concurrent;
using System.Collections.Immutable;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.Broker.Metadata;

/// <summary>
/// Holds what is known of the cluster: the image that requests are answered from, and the beliefs that replicas act on.
/// It is told of changes; it asks nobody. Any thread.
/// </summary>
public sealed class ClusterDirectory : IClusterView
{
    private readonly ConcurrentDictionary<BrokerId, long> _brokerEpochs = new();
    private ClusterImage _image = new("", [], ImmutableSortedDictionary.Create<string, TopicImage>(StringComparer.Ordinal));

    /// <summary>The image is another one. Raised by whoever changed it: to be handled quickly.</summary>
    public event Action? Updated;

    /// <summary>The cluster at this moment.</summary>
    public ClusterImage Image => Volatile.Read(ref _image);

    /// <summary>Changes the image. <paramref name="change"/> may be asked more than once.</summary>
    public void Update(Func<ClusterImage, ClusterImage> change)
    {
        while (true)
        {
            var before = Image;
            if (Interlocked.CompareExchange(ref _image, change(before), before) == before)
                break;
        }
        Updated?.Invoke();
    }

    /// <summary>A broker is there, in the life that its epoch counts.</summary>
    public void Joined(BrokerImage broker, long epoch)
    {
        _brokerEpochs[broker.Id] = epoch;
        Update(image => image.With(broker));
    }

    /// <summary>A broker is gone.</summary>
    public void Left(BrokerId broker) => Update(image => image.Without(broker));

    /// <summary>A broker is registered; whether it lives is to be seen. Where clients would reach it is not known.</summary>
    public void Registered(BrokerRecord broker) =>
        Update(image => image.FindBroker(broker.Id) is null ? image.WithAway(new(broker.Id, "", -1, broker.Rack)) : image);

    /// <summary>A partition's record is another one. Older ones than the one that is known change nothing.</summary>
    public void Changed(TopicPartition id, PartitionRecord record) => Update(image =>
        image.FindPartition(id) is { } known && known.PartitionEpoch < record.PartitionEpoch
            ? image.With(Replace(image.FindTopic(id.Topic)!, id.Partition, record))
            : image);

    public bool IsAlive(BrokerId broker) => Image.FindBroker(broker) is not null;

    public long EpochOf(BrokerId broker) => _brokerEpochs.GetValueOrDefault(broker);

    public PartitionRecord? RecordOf(TopicPartition partition) => Image.FindPartition(partition);

    private static TopicImage Replace(TopicImage topic, int index, PartitionRecord record) =>
        topic with { Partitions = topic.Partitions.SetItem(index, record) };
}
