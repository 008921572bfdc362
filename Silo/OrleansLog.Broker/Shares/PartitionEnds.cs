using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Shares;

/// <summary>Where partitions end, asked of their leaders. Any thread.</summary>
internal sealed class PartitionEnds(ClusterDirectory cluster, Func<BrokerId, IShareStatePeer> peers)
{
    private const long Latest = -1;

    /// <summary>The high watermark of a partition; null where nobody says.</summary>
    public async Task<Offset?> FindAsync(TopicPartition partition, CancellationToken cancellationToken)
    {
        if (cluster.Image.FindPartition(partition)?.Leader is not { } leader || leader == BrokerId.None)
            return null;
        try
        {
            var answer = (await peers(leader).ListOffsetsAsync(Request(partition), cancellationToken)).Topics[0].Partitions[0];
            return answer.ErrorCode == ErrorCode.None ? new Offset(answer.Offset) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Answers such a request at the leader.</summary>
    public static ListOffsetsResponse Answer(PartitionTable partitions, ListOffsetsRequest request) => new()
    {
        Topics = request.Topics.ConvertAll(topic => new ListOffsetsResponse.ListOffsetsTopicResponse
        {
            Name = topic.Name,
            Partitions = topic.Partitions.ConvertAll(asked => Answer(partitions.Find(new(topic.Name, asked.PartitionIndex)), asked.PartitionIndex)),
        }),
    };

    private static ListOffsetsResponse.ListOffsetsPartitionResponse Answer(Partition? partition, int index) =>
        partition is { IsLeader: true, KnowsHighWatermark: true }
            ? new() { PartitionIndex = index, Offset = partition.HighWatermark.Value }
            : new() { PartitionIndex = index, ErrorCode = ErrorCode.NotLeaderOrFollower };

    private static ListOffsetsRequest Request(TopicPartition partition) => new()
    {
        Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Timestamp = Latest }] }],
    };
}
