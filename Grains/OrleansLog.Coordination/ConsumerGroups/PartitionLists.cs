using OrleansLog.Coordination.Records;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>Sets of partitions as messages and records have them: a list of topics, each with its partitions.</summary>
internal static class PartitionLists
{
    public static List<ConsumerGroupValues.TopicPartitions> ToValue(PartitionSet partitions) =>
        ByTopic(partitions, (topic, indexes) => new ConsumerGroupValues.TopicPartitions { TopicId = topic, Partitions = indexes });

    public static List<ConsumerGroupHeartbeat.TopicPartitions> ToMessage(PartitionSet partitions) =>
        ByTopic(partitions, (topic, indexes) => new ConsumerGroupHeartbeat.TopicPartitions { TopicId = topic, Partitions = indexes });

    public static List<T> ByTopic<T>(PartitionSet partitions, Func<Guid, List<int>, T> make) =>
        [.. partitions.GroupBy(partition => partition.TopicId, (topic, some) => make(topic, [.. some.Select(partition => partition.Partition)]))];

    public static PartitionSet From(List<ConsumerGroupValues.TopicPartitions> topics) =>
        [.. topics.SelectMany(topic => topic.Partitions, (topic, index) => new TopicIdPartition(topic.TopicId, index))];

    /// <summary>What a member says it owns; null when it does not say.</summary>
    public static PartitionSet? From(List<ConsumerGroupHeartbeat.TopicPartitions>? topics) => topics is null
        ? null
        : [.. topics.SelectMany(topic => topic.Partitions, (topic, index) => new TopicIdPartition(topic.TopicId, index))];
}
