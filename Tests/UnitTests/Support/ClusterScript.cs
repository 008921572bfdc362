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
        foreach (var value in values)
        {
            // Who was elected a moment ago may not have heard of it.
            var error = ErrorCode.NotLeaderOrFollower;
            while (error == ErrorCode.NotLeaderOrFollower)
            {
                var led = await cluster.UntilAsync(topic, record => record.Leader != BrokerId.None);
                await using var client = await cluster.ConnectAsync(led.Leader);
                error = (await client.ProduceAsync(topic, Batches.Of(value))).ErrorCode;
            }
            Assert.Equal(ErrorCode.None, error);
        }
    }

    /// <summary>Everything that is committed, read from the leader.</summary>
    public static async Task<string[]> ReadAsync(TestCluster cluster, string topic)
    {
        while (true)
        {
            var led = await cluster.UntilAsync(topic, record => record.Leader != BrokerId.None);
            await using var client = await cluster.ConnectAsync(led.Leader);
            var end = await client.ListOffsetAsync(topic, -1);
            // Who was elected a moment ago finds out first what is committed.
            if (end.ErrorCode is ErrorCode.NotLeaderOrFollower or ErrorCode.OffsetNotAvailable)
                continue;
            Assert.Equal(ErrorCode.None, end.ErrorCode);
            if (await ReadAsync(client, topic, end.Offset) is { } read)
                return read;
        }
    }

    private static async Task<string[]?> ReadAsync(TestClient client, string topic, long end)
    {
        var read = new List<string>();
        while (read.Count < end)
        {
            var answer = await client.FetchAsync(topic, read.Count, maxWaitMs: 30_000);
            if (answer.ErrorCode == ErrorCode.NotLeaderOrFollower)
                return null;
            Assert.Equal(ErrorCode.None, answer.ErrorCode);
            read.AddRange(Batches.Read(answer.Records ?? default));
        }
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
