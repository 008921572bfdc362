using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.UnitTests.Support;

/// <summary>What scenarios with several brokers do to topics, each in one line.</summary>
internal static class ClusterScript
{
    public static async Task CreateAsync(TestCluster cluster, string topic, short replicas, params (string Name, string Value)[] config) =>
        await CreateAsync(cluster, topic, replicas, 1, config);

    public static async Task CreateAsync(
        TestCluster cluster, string topic, short replicas, int partitions, params (string Name, string Value)[] config)
    {
        await using var client = await cluster.ConnectAsync(new(0));
        Assert.Equal(ErrorCode.None, (await client.CreateTopicAsync(topic, partitions, replicas, config)).ErrorCode);
    }

    public static async Task ProduceAsync(TestCluster cluster, string topic, params string[] values)
    {
        await using var client = await cluster.ConnectAsync(cluster.LeaderOf(topic));
        foreach (var value in values)
        {
            // Who was elected a moment ago may not have heard of it.
            var error = ErrorCode.NotLeaderOrFollower;
            while (error == ErrorCode.NotLeaderOrFollower)
                error = (await client.ProduceAsync(topic, Batches.Of(value))).ErrorCode;
            Assert.Equal(ErrorCode.None, error);
        }
    }

    public static async Task<string[]> ReadAsync(TestCluster cluster, string topic, BrokerId broker)
    {
        await using var client = await cluster.ConnectAsync(broker);
        var end = (await client.ListOffsetAsync(topic, -1)).Offset;
        var read = new List<string>();
        while (read.Count < end)
            read.AddRange(Batches.Read((await client.FetchAsync(topic, read.Count, maxWaitMs: 30_000)).Records!.Value));
        return [.. read];
    }

    /// <summary>Produces one record after the other, wherever the leader is, until told to stop.</summary>
    /// <returns>The values that were acknowledged by all in-sync replicas, in order.</returns>
    public static async Task<List<string>> ProduceUntilAsync(TestCluster cluster, string topic, CancellationToken stop)
    {
        var acknowledged = new List<string>();
        for (var number = 0; !stop.IsCancellationRequested || acknowledged.Count == 0;)
        {
            var led = await cluster.UntilAsync(topic, record => record.Leader != BrokerId.None);
            await using var client = await cluster.ConnectAsync(led.Leader);
            var error = ErrorCode.None;
            while (error == ErrorCode.None && !(stop.IsCancellationRequested && acknowledged.Count > 0))
            {
                var value = $"v{number++}";
                error = (await client.ProduceAsync(topic, Batches.Of(value))).ErrorCode;
                if (error == ErrorCode.None)
                    acknowledged.Add(value);
            }
        }
        return acknowledged;
    }

    /// <summary>Asks for a move; null for the replicas calls it off.</summary>
    public static async Task<AlterPartitionReassignmentsResponse.ReassignablePartitionResponse> MoveAsync(
        this TestClient client, TopicPartition partition, int[]? replicas, bool mayChangeFactor = true)
    {
        var response = await client.CallAsync(new AlterPartitionReassignmentsRequest
        {
            AllowReplicationFactorChange = mayChangeFactor,
            Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Replicas = replicas?.ToList() }] }],
        });
        Assert.Equal(ErrorCode.None, response.ErrorCode);
        return Assert.Single(Assert.Single(response.Responses).Partitions);
    }

    /// <summary>The moves under way.</summary>
    public static async Task<List<ListPartitionReassignmentsResponse.OngoingTopicReassignment>> MovesAsync(this TestClient client) =>
        (await client.CallAsync(new ListPartitionReassignmentsRequest())).Topics;

    public static async Task<ElectLeadersResponse.PartitionResult> ElectAsync(this TestClient client, TopicPartition partition, bool isUnclean = false)
    {
        var response = await client.CallAsync(new ElectLeadersRequest
        {
            ElectionType = (sbyte)(isUnclean ? 1 : 0),
            Topics = [new() { Topic = partition.Topic, Partitions = [partition.Partition] }],
        });
        return Assert.Single(Assert.Single(response.ReplicaElectionResults).PartitionResult);
    }
}
