using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Groups;

/// <summary>Makes each broker the coordinator of the offsets partitions that it leads.</summary>
internal sealed class OffsetsElection(IEnumerable<Broker> brokers, TimeProvider time)
{
    public async ValueTask TakeOverAsync(TopicImage topic)
    {
        if (topic.Name != TopicName.ConsumerOffsets)
            return;
        foreach (var broker in brokers)
        {
            foreach (var partition in broker.Partitions.FindTopic(topic.Id)?.Partitions ?? [])
            {
                var records = new OffsetsPartition(partition, time);
                await broker.Groups.ElectAsync(partition.Id.Partition, partition.LeaderEpoch, records, records);
            }
        }
    }
}
