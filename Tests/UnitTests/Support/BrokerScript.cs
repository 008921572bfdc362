using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.UnitTests.Support;

/// <summary>The requests that scenarios are made of, each in one line.</summary>
internal static class BrokerScript
{
    public static async Task<CreateTopicsResponse.CreatableTopicResult> CreateTopicAsync(
        this TestClient client, string name, int partitions = 1, short replicas = -1, params (string Name, string Value)[] config)
    {
        var response = await client.CallAsync(new CreateTopicsRequest
        {
            Topics =
            [
                new()
                {
                    Name = name,
                    NumPartitions = partitions,
                    ReplicationFactor = replicas,
                    Configs = [.. config.Select(pair => new CreateTopicsRequest.CreatableTopicConfig { Name = pair.Name, Value = pair.Value })],
                },
            ],
        });
        return Assert.Single(response.Topics);
    }

    public static async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(
        this TestClient client, string topic, ReadOnlyMemory<byte> records, short acks = -1, int partition = 0, short? version = null) =>
        Single(await client.CallAsync(Produce(topic, records, acks, partition), version));

    public static ProduceRequest Produce(string topic, ReadOnlyMemory<byte> records, short acks = -1, int partition = 0) => new()
    {
        Acks = acks,
        TimeoutMs = 30_000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = records }] }],
    };

    public static ProduceResponse.PartitionProduceResponse Single(ProduceResponse response) =>
        Assert.Single(Assert.Single(response.Responses).PartitionResponses);

    /// <summary>Fetches by name, which versions up to 12 do.</summary>
    public static async Task<FetchResponse.PartitionData> FetchAsync(
        this TestClient client, string topic, long offset, int maxBytes = 1 << 20, int maxWaitMs = 0, int minBytes = 1, short version = 12) =>
        Single(await client.CallAsync(Fetch(topic, offset, maxBytes, maxWaitMs, minBytes), version));

    public static FetchRequest Fetch(string topic, long offset, int maxBytes = 1 << 20, int maxWaitMs = 0, int minBytes = 1) => new()
    {
        MaxWaitMs = maxWaitMs,
        MinBytes = minBytes,
        MaxBytes = maxBytes,
        Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = offset, PartitionMaxBytes = maxBytes }] }],
    };

    public static FetchResponse.PartitionData Single(FetchResponse response)
    {
        Assert.Equal(ErrorCode.None, response.ErrorCode);
        return Assert.Single(Assert.Single(response.Responses).Partitions);
    }

    public static async Task<ListOffsetsResponse.ListOffsetsPartitionResponse> ListOffsetAsync(this TestClient client, string topic, long timestamp)
    {
        var response = await client.CallAsync(new ListOffsetsRequest
        {
            ReplicaId = -1,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Timestamp = timestamp }] }],
        });
        return Assert.Single(Assert.Single(response.Topics).Partitions);
    }
}
