using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Elections that somebody asks for.</summary>
public sealed class LeaderElectionTests
{
    private static readonly TopicPartition Orders = new("orders", 0);

    [Fact]
    public async Task The_preferred_replica_takes_its_partition_back_when_asked()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        var preferred = cluster.LeaderOf("orders");
        await cluster.Engine.StopAsync(preferred);
        var second = await cluster.UntilAsync("orders", record => record.Leader != preferred && record.Leader != BrokerId.None);
        await using var client = await cluster.ConnectAsync(second.Leader);

        var early = await client.ElectAsync(Orders);
        await cluster.Engine.StartAsync(preferred);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 3);
        var elected = await client.ElectAsync(Orders);

        Assert.Equal((ErrorCode.PreferredLeaderNotAvailable, $"Broker {preferred}, which orders-0 prefers, does not live."), (early.ErrorCode, early.ErrorMessage));
        Assert.Equal((ErrorCode.None, preferred), (elected.ErrorCode, cluster.LeaderOf("orders")));
        Assert.Equal(ErrorCode.ElectionNotNeeded, (await client.ElectAsync(Orders)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ElectAsync(new("carts", 0))).ErrorCode);
        await ProduceAsync(cluster, "orders", "a");
    }

    [Fact]
    public async Task An_unclean_election_loses_what_it_must_and_says_so()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 2);
        var first = cluster.RecordOf("orders");
        var (leader, follower) = (first.Leader, first.Replicas[1]);
        var witness = new BrokerId(3 - leader.Value - follower.Value);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 2);
        await ProduceAsync(cluster, "orders", "kept");
        await cluster.Engine.KillAsync(follower);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 1);
        await ProduceAsync(cluster, "orders", "lost");
        await using var client = await cluster.ConnectAsync(witness);

        Assert.Equal(ErrorCode.ElectionNotNeeded, (await client.ElectAsync(Orders, isUnclean: true)).ErrorCode);
        await cluster.Engine.KillAsync(leader);
        Assert.Equal(ErrorCode.EligibleLeadersNotAvailable, (await client.ElectAsync(Orders, isUnclean: true)).ErrorCode);
        await cluster.Engine.StartAsync(follower);
        var elected = await client.ElectAsync(Orders, isUnclean: true);

        Assert.Equal(ErrorCode.None, elected.ErrorCode);
        Assert.Equal(
            $"Broker {follower} leads orders-0 from offset 1 on. Records from there on that only broker {leader} held are lost.", elected.ErrorMessage);
        await ProduceAsync(cluster, "orders", "new");
        await cluster.Engine.StartAsync(leader);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 2);
        Assert.Equal(["0:kept", "1:new"], await ReadAsync(cluster, "orders"));
        Assert.Equal(new Offset(2), cluster.Broker(leader).Partitions.Find(Orders)!.Log.LogEndOffset);
    }
}
