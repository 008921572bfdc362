using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>Silos that join and leave for good, under producers and consumers that should not notice.</summary>
public sealed class GrowingCluster(Azurite azurite, ITestOutputHelper output) : IClassFixture<Azurite>
{
    [Fact]
    public async Task A_fourth_silo_takes_its_share_and_the_first_one_leaves()
    {
        await using var silos = await SiloProcesses.StartAsync(3, azurite.ConnectionString);
        await using var client = new OrleansLogClient(silos.Bootstrap);
        await using var workload = new SendAndReadWorkload();
        var topic = workload.Topics[0].Name;
        await client.Admin.CreateTopicAsync(workload.Topics[0]);
        workload.Start([client]);

        await silos.AddAsync();
        await Eventually.TrueAsync(async () => (await client.Admin.DescribeClusterAsync()).Brokers.Count == 4);
        await MoveAsync(client, topic, [[3, 1, 2], [1, 2, 3], [2, 3, 1]]);
        await silos[0].StopAsync();
        var since = DateTimeOffset.UtcNow;
        await Eventually.TrueAsync(() => workload.FewestSince(since) >= 20);

        Assert.Empty(await workload.JudgeAsync(output));
        Assert.Equal([3, 1, 2], (await client.Admin.DescribeTopicAsync(topic)).Partitions[0].Replicas.Select(id => id.Value));
    }

    private static async Task MoveAsync(OrleansLogClient client, string topic, int[][] targets)
    {
        var outcome = await client.Admin.AlterPartitionReassignmentsAsync(targets.Index().ToDictionary(
            each => new TopicPartition(topic, each.Index), each => (IReadOnlyList<BrokerId>?)[.. each.Item.Select(id => new BrokerId(id))]));
        Assert.All(outcome, result => Assert.Equal(ErrorCode.None, result.Error));
        await Eventually.TrueAsync(async () => (await client.Admin.ListPartitionReassignmentsAsync()).Count == 0);
    }
}
