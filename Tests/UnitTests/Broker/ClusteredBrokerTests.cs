using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Brokers that share nothing but the metadata register, and hear of one another.</summary>
public sealed class ClusteredBrokerTests
{
    [Fact]
    public async Task A_topic_made_at_one_broker_is_known_and_held_by_all()
    {
        await using var cluster = await MemberCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);

        for (var id = 0; id < 3; id++)
        {
            Assert.Equal(3, cluster[id].Directory.Image.FindTopic("orders")!.Partitions[0].Replicas.Length);
            Assert.NotNull(cluster[id].Broker!.Partitions.Find(new("orders", 0)));
        }
    }

    [Fact]
    public async Task When_the_leader_is_gone_another_one_leads_and_has_everything()
    {
        await using var cluster = await MemberCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        await ProduceAsync(cluster, "orders", "a", "b");
        var first = await cluster.UntilAsync("orders", record => record.Leader != BrokerId.None);

        await cluster.EndAsync(first.Leader);
        await cluster.UntilAsync("orders", record => record.Leader != BrokerId.None && record.Leader != first.Leader);

        await ProduceAsync(cluster, "orders", "c");
        Assert.Equal(["0:a", "1:b", "2:c"], await ReadAsync(cluster, "orders"));
    }

    [Fact]
    public async Task A_stopping_broker_hands_over_before_it_leaves()
    {
        await using var cluster = await MemberCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        await ProduceAsync(cluster, "orders", "a");
        var first = await cluster.UntilAsync("orders", record => record.Leader != BrokerId.None);

        await cluster[first.Leader.Value].ResignAsync();
        var second = await cluster.UntilAsync("orders", record => record.Leader != BrokerId.None && record.Leader != first.Leader);

        Assert.True(second.IsInSync(first.Leader));
        Assert.Equal(["0:a"], await ReadAsync(cluster, "orders"));
    }

    [Fact]
    public async Task A_broker_that_was_away_learns_what_came_and_went()
    {
        await using var cluster = await MemberCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        await cluster.EndAsync(new(2));
        await using (var client = await cluster.ConnectAsync(new(0)))
            await client.CallAsync(new DeleteTopicsRequest { TopicNames = ["orders"], TimeoutMs = 10_000 }, 5);
        await CreateAsync(cluster, "clicks", 2);

        await cluster.StartBrokerAsync(2);

        Assert.Equal(["clicks"], cluster[2].Directory.Image.Topics.Keys);
        Assert.Empty(Directory.GetDirectories(cluster[2].Broker!.Store.Directory, "orders*"));
    }

    [Fact]
    public async Task A_broker_that_is_back_joins_the_in_sync_set_again()
    {
        await using var cluster = await MemberCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        var follower = (await cluster.UntilAsync("orders", record => record.Leader != BrokerId.None)).Replicas[2];
        await cluster.EndAsync(follower);
        await cluster.UntilAsync("orders", record => !record.IsInSync(follower));
        await ProduceAsync(cluster, "orders", "a");

        await cluster.StartBrokerAsync(follower.Value);
        await cluster.UntilAsync("orders", record => record.IsInSync(follower));

        Assert.Equal(new Offset(1), cluster[follower.Value].Broker!.Partitions.Find(new("orders", 0))!.Log.LogEndOffset);
    }

    [Fact]
    public async Task A_changed_configuration_and_new_partitions_reach_every_broker()
    {
        await using var cluster = await MemberCluster.StartAsync(2);
        await CreateAsync(cluster, "orders", 2);
        await using var client = await cluster.ConnectAsync(new(0));

        var grown = await client.CallAsync(new CreatePartitionsRequest { Topics = [new() { Name = "orders", Count = 3, Assignments = null }], TimeoutMs = 10_000 });
        Assert.Equal(ErrorCode.None, grown.Results[0].ErrorCode);
        await client.CallAsync(new IncrementalAlterConfigsRequest
        {
            Resources = [new() { ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "max.message.bytes", Value = "2048" }] }],
        });
        await cluster.UntilAsync("orders", record => record.Leader != BrokerId.None, partition: 2);

        var there = cluster[1].Broker!.Partitions.Find(new("orders", 2))!;
        for (var patience = 0; there.Settings.BatchBytesMax != 2048; patience++, await Task.Yield())
            Assert.True(patience < 10_000_000, "the configuration has not come");
    }
}
