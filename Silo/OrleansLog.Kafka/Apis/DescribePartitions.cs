using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Metadata;
using Described = OrleansLog.Protocol.Messages.DescribeTopicPartitionsResponse;

namespace OrleansLog.Kafka.Apis;

/// <summary>DescribeTopicPartitions (KIP-966): what Metadata tells of topics, a page at a time.</summary>
internal static class DescribePartitions
{
    private const int PartitionsMax = 2000;

    public static Described Answer(DescribeTopicPartitionsRequest request, ClusterImage cluster)
    {
        var response = new Described();
        var room = Math.Clamp(request.ResponsePartitionLimit, 1, PartitionsMax);
        foreach (var name in NamesFrom(request, cluster))
        {
            if (cluster.FindTopic(name) is not { } topic)
            {
                response.Topics.Add(new() { Name = name, ErrorCode = ErrorCode.UnknownTopicOrPartition });
                continue;
            }
            var first = request.Cursor is { } cursor && cursor.TopicName == name ? Math.Max(cursor.PartitionIndex, 0) : 0;
            if (room == 0)
                return EndAt(response, name, first);
            var page = topic.Partitions.Skip(first).Take(room).ToList();
            response.Topics.Add(Describe(topic, first, page, cluster));
            room -= page.Count;
            if (first + page.Count < topic.Partitions.Length)
                return EndAt(response, name, first + page.Count);
        }
        return response;
    }

    /// <summary>The asked topics (all, when none is named) in order of name, from the cursor on.</summary>
    private static IEnumerable<string> NamesFrom(DescribeTopicPartitionsRequest request, ClusterImage cluster)
    {
        var names = request.Topics.Count == 0 ? cluster.Topics.Keys : request.Topics.Select(topic => topic.Name);
        var from = request.Cursor?.TopicName ?? "";
        return names.Distinct().Where(name => string.CompareOrdinal(name, from) >= 0).Order(StringComparer.Ordinal);
    }

    private static Described EndAt(Described response, string topic, int partition)
    {
        response.NextCursor = new() { TopicName = topic, PartitionIndex = partition };
        return response;
    }

    private static Described.DescribeTopicPartitionsResponseTopic Describe(
        TopicImage topic, int first, List<PartitionRecord> partitions, ClusterImage cluster) => new()
        {
            Name = topic.Name,
            TopicId = topic.Id,
            IsInternal = TopicName.IsInternal(topic.Name),
            Partitions = [.. partitions.Select((partition, index) => Describe(partition, first + index, cluster))],
        };

    private static Described.DescribeTopicPartitionsResponsePartition Describe(PartitionRecord partition, int index, ClusterImage cluster)
    {
        var led = cluster.FindBroker(partition.Leader) is not null;
        return new()
        {
            ErrorCode = led ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
            PartitionIndex = index,
            LeaderId = led ? partition.Leader.Value : BrokerId.None.Value,
            LeaderEpoch = partition.LeaderEpoch.Value,
            ReplicaNodes = [.. partition.Replicas.Select(id => id.Value)],
            IsrNodes = [.. partition.InSync.Select(member => member.Broker.Value)],
            EligibleLeaderReplicas = [.. partition.Eligible.Select(member => member.Broker.Value)],
            LastKnownElr = [],
            OfflineReplicas = [.. partition.Replicas.Where(id => cluster.FindBroker(id) is null).Select(id => id.Value)],
        };
    }
}
