using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Processes;

/// <summary>Silos that join and leave for good, under producers and consumers that should not notice.</summary>
public sealed class GrowingCluster(Azurite azurite) : IClassFixture<Azurite>
{
    private const string Topic = "history";
    private const int Partitions = 3;

    [Fact]
    public async Task A_fourth_silo_takes_its_share_and_the_first_one_leaves()
    {
        await using var silos = await SiloProcesses.StartAsync(3, azurite.ConnectionString);
        await using var client = new OrleansLogClient(silos.Bootstrap);
        await client.Admin.CreateTopicAsync(new NewTopic(Topic, Partitions, 3));
        await using var workload = new Workload([client], Topic, Partitions, producers: 1, consumers: 1);

        await silos.AddAsync();
        await Eventually.TrueAsync(async () => (await client.Admin.DescribeClusterAsync()).Brokers.Count == 4);
        await MoveAsync(client, [[3, 1, 2], [1, 2, 3], [2, 3, 1]]);
        await silos[0].StopAsync();
        var since = DateTimeOffset.UtcNow;
        await Eventually.TrueAsync(() => workload.FewestSince(since) >= 20);

        Assert.Empty(await workload.JudgeAsync());
        Assert.Empty(workload.Refusals);
        Assert.Equal([3, 1, 2], (await client.Admin.DescribeTopicAsync(Topic)).Partitions[0].Replicas.Select(id => id.Value));
    }

    private static async Task MoveAsync(OrleansLogClient client, int[][] targets)
    {
        var outcome = await client.Admin.AlterPartitionReassignmentsAsync(targets.Index().ToDictionary(
            each => new TopicPartition(Topic, each.Index), each => (IReadOnlyList<BrokerId>?)[.. each.Item.Select(id => new BrokerId(id))]));
        Assert.All(outcome, result => Assert.Equal(ErrorCode.None, result.Error));
        await Eventually.TrueAsync(async () => (await client.Admin.ListPartitionReassignmentsAsync()).Count == 0);
    }
}
