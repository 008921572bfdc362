using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using OrleansLog.Protocol.Wire;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Applications;

/// <summary>
/// What a broker answers to clients, in its process: what it takes to produce, and to consume partitions that the
/// application chooses. There are no group coordinators.
/// </summary>
internal sealed class SimEndpoint(SimCluster cluster, SimBroker broker)
{
    // How often a fetch that waits for records looks again.
    private const int LookAgainMs = 5;

    public static bool Speaks(ApiKey api) => api is ApiKey.Metadata or ApiKey.Produce or ApiKey.Fetch or ApiKey.ListOffsets or ApiKey.InitProducerId;

    /// <summary>Answers a request of an API that it <see cref="Speaks"/>.</summary>
    public async Task<byte[]> AnswerAsync(SimRequest request) => request.Api switch
    {
        ApiKey.Metadata => request.Answer(Describe(request.Read<MetadataRequest>())),
        ApiKey.Produce => request.Answer(await ProduceAsync(request.Read<ProduceRequest>())),
        ApiKey.Fetch => request.Answer(await FetchAsync(request.Read<FetchRequest>())),
        ApiKey.ListOffsets => request.Answer(ListOffsets(request.Read<ListOffsetsRequest>())),
        ApiKey.InitProducerId => request.Answer(new InitProducerIdResponse { ProducerId = cluster.TakeProducerId() }),
        _ => throw new NotSupportedException($"The simulated brokers do not speak {request.Api}."),
    };

    private MetadataResponse Describe(MetadataRequest request) => new()
    {
        ClusterId = "simulated",
        ControllerId = broker.Id.Value,
        Brokers =
        [
            .. cluster.Brokers.Where(other => IsAlive(other.Id))
                .Select(other => new MetadataResponse.MetadataResponseBroker { NodeId = other.Id.Value, Host = $"broker-{other.Id}", Port = 9092 }),
        ],
        Topics = [.. (request.Topics?.Select(topic => topic.Name) ?? [SimCluster.Partition.Topic]).Select(Describe)],
    };

    private MetadataResponse.MetadataResponseTopic Describe(string? name)
    {
        var topic = new MetadataResponse.MetadataResponseTopic { Name = name, ErrorCode = ErrorCode.UnknownTopicOrPartition };
        if (name != SimCluster.Partition.Topic || cluster.PeekPartition()?.Record is not { } record) return topic;
        var isLed = record.Leader != BrokerId.None && IsAlive(record.Leader);
        topic.ErrorCode = ErrorCode.None;
        topic.Partitions.Add(new()
        {
            PartitionIndex = SimCluster.Partition.Partition,
            ErrorCode = isLed ? ErrorCode.None : ErrorCode.LeaderNotAvailable,
            LeaderId = isLed ? record.Leader.Value : BrokerId.None.Value,
            LeaderEpoch = record.LeaderEpoch.Value,
            ReplicaNodes = [.. record.Replicas.Select(id => id.Value)],
            IsrNodes = [.. record.InSync.Select(member => member.Broker.Value)],
        });
        return topic;
    }

    private bool IsAlive(BrokerId id) => id == broker.Id || broker.View?.IsAlive(id) == true;

    private async Task<ProduceResponse> ProduceAsync(ProduceRequest request)
    {
        var response = new ProduceResponse();
        foreach (var topic in request.TopicData)
        {
            var answers = new ProduceResponse.TopicProduceResponse { Name = topic.Name };
            foreach (var partition in topic.PartitionData) answers.PartitionResponses.Add(await ProduceAsync(new(topic.Name, partition.Index), partition, request));
            response.Responses.Add(answers);
        }

        return response;
    }

    private async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(
        TopicPartition id, ProduceRequest.PartitionProduceData partition, ProduceRequest request)
    {
        var answer = new ProduceResponse.PartitionProduceResponse { Index = partition.Index, BaseOffset = -1 };
        var batch = partition.Records?.ToArray() ?? [];
        var replica = Find(id, out answer.ErrorCode);
        if (replica is null || (answer.ErrorCode = RecordBatch.Validate(batch)) != ErrorCode.None) return answer;
        var append = replica.Append(batch, awaitsCommit: request.Acks < 0, request.TimeoutMs);
        answer.ErrorCode = append.Error == ErrorCode.None ? await append.Done : append.Error;
        if (answer.ErrorCode != ErrorCode.None) return answer;
        answer.BaseOffset = append.Appended.BaseOffset.Value;
        // What was there already has its place in the log and not in the request.
        if (append.Appended.IsDuplicate) RecordBatch.AssignOffset(batch, append.Appended.BaseOffset, append.LeaderEpoch);
        if (request.Acks < 0) NoteSafe(append.LeaderEpoch, batch);
        return answer;
    }

    private void NoteSafe(LeaderEpoch epoch, byte[] batch)
    {
        cluster.Acknowledgements++;
        foreach (var (offset, value) in Records.Read(batch)) cluster.Acknowledged(epoch, offset, value);
    }

    private async Task<FetchResponse> FetchAsync(FetchRequest request)
    {
        var clock = broker.Clock!;
        for (var start = clock.GetTimestamp(); ; await Task.Delay(TimeSpan.FromMilliseconds(LookAgainMs), clock))
        {
            var response = Fetch(request);
            var hasNews = response.Responses.Exists(topic => topic.Partitions.Exists(partition => partition.ErrorCode != ErrorCode.None || partition.Records is { IsEmpty: false }));
            if (hasNews || clock.GetElapsedTime(start).TotalMilliseconds >= request.MaxWaitMs) return response;
        }
    }

    private FetchResponse Fetch(FetchRequest request) => new()
    {
        Responses =
        [
            .. request.Topics.Select(topic => new FetchResponse.FetchableTopicResponse
            {
                Topic = topic.Topic,
                Partitions = [.. topic.Partitions.Select(partition => Fetch(new(topic.Topic, partition.Partition), partition))],
            }),
        ],
    };

    private FetchResponse.PartitionData Fetch(TopicPartition id, FetchRequest.FetchPartition partition)
    {
        var answer = new FetchResponse.PartitionData { PartitionIndex = partition.Partition, HighWatermark = -1 };
        if (Find(id, out answer.ErrorCode) is not { } replica) return answer;
        var known = new LeaderEpoch(partition.CurrentLeaderEpoch);
        var read = replica.Read(new(partition.FetchOffset), partition.PartitionMaxBytes, known);
        var bytes = new byte[read.Log.Slice.Length];
        read.Log.Slice.Read(bytes);
        (answer.ErrorCode, answer.HighWatermark, answer.LogStartOffset, answer.Records) = (read.Error, read.HighWatermark.Value, replica.Log.LogStartOffset.Value, bytes);
        foreach (var (offset, value) in Records.Read(bytes).Where(record => record.Offset.Value >= partition.FetchOffset))
            cluster.Polled(broker, known, read.LeaderEpoch, offset, value);
        return answer;
    }

    private ListOffsetsResponse ListOffsets(ListOffsetsRequest request) => new()
    {
        Topics =
        [
            .. request.Topics.Select(topic => new ListOffsetsResponse.ListOffsetsTopicResponse
            {
                Name = topic.Name,
                Partitions = [.. topic.Partitions.Select(partition => ListOffset(new(topic.Name, partition.PartitionIndex), partition.Timestamp))],
            }),
        ],
    };

    private ListOffsetsResponse.ListOffsetsPartitionResponse ListOffset(TopicPartition id, long timestamp)
    {
        const long Latest = -1, Earliest = -2;
        var answer = new ListOffsetsResponse.ListOffsetsPartitionResponse { PartitionIndex = id.Partition };
        if (Find(id, out answer.ErrorCode) is not { } replica) return answer;
        if (replica.Leading is not { KnowsHighWatermark: true } leading)
        {
            answer.ErrorCode = replica.IsLeader ? ErrorCode.OffsetNotAvailable : ErrorCode.NotLeaderOrFollower;
            return answer;
        }

        answer.LeaderEpoch = leading.Epoch.Value;
        answer.Offset = timestamp switch
        {
            Latest => leading.HighWatermark.Value,
            Earliest => replica.Log.LogStartOffset.Value,
            _ => replica.Log.FindByTimestamp(timestamp)?.Offset.Value ?? -1,
        };
        return answer;
    }

    // The partition that there is, if this broker has it now.
    private PartitionReplica? Find(TopicPartition id, out ErrorCode error)
    {
        var replica = id == SimCluster.Partition ? broker.Replica : null;
        error = id != SimCluster.Partition ? ErrorCode.UnknownTopicOrPartition : replica is null ? ErrorCode.NotLeaderOrFollower : ErrorCode.None;
        return replica;
    }
}
