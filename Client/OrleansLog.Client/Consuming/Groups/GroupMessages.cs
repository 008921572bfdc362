using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Consuming;

/// <summary>What members of a group tell one another, to and from its wire form.</summary>
internal static class GroupMessages
{
    public static byte[] WriteSubscription(IReadOnlyList<string> topics, IReadOnlyList<TopicPartition> owned, int generation, string? rack) =>
        ConsumerProtocol.Write(new ConsumerProtocolSubscription
        {
            Topics = [.. topics],
            OwnedPartitions = Pack(owned),
            GenerationId = generation,
            RackId = rack,
        });

    public static GroupSubscription ReadSubscription(string memberId, string? instanceId, ReadOnlyMemory<byte> bytes)
    {
        var subscription = ConsumerProtocol.Read<ConsumerProtocolSubscription>(bytes);
        return new GroupSubscription(memberId, instanceId, subscription.Topics, Unpack(subscription.OwnedPartitions), subscription.GenerationId);
    }

    public static byte[] WriteAssignment(IReadOnlyList<TopicPartition> partitions) =>
        ConsumerProtocol.Write(new ConsumerProtocolAssignment { AssignedPartitions = Pack(partitions) });

    public static List<TopicPartition> ReadAssignment(ReadOnlyMemory<byte> bytes) =>
        bytes.IsEmpty ? [] : Unpack(ConsumerProtocol.Read<ConsumerProtocolAssignment>(bytes).AssignedPartitions);

    private static List<ConsumerProtocol.TopicPartitions> Pack(IEnumerable<TopicPartition> partitions) =>
    [
        .. partitions.GroupBy(partition => partition.Topic, partition => partition.Partition)
            .Select(topic => new ConsumerProtocol.TopicPartitions { Topic = topic.Key, Partitions = [.. topic] }),
    ];

    private static List<TopicPartition> Unpack(List<ConsumerProtocol.TopicPartitions> topics) =>
        [.. topics.SelectMany(topic => topic.Partitions, (topic, partition) => new TopicPartition(topic.Topic, partition))];
}
