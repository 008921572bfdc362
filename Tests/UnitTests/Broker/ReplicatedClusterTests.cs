using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Three brokers in one process, played with.</summary>
public sealed class ReplicatedClusterTests
{
    [Fact]
    public async Task A_killed_leader_is_replaced_and_nothing_acknowledged_is_lost()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        var first = cluster.RecordOf("orders");
        await ProduceAsync(cluster, "orders", "a", "b");

        await cluster.Engine.KillAsync(first.Leader);
        var second = await cluster.UntilAsync("orders", record => record.LeaderEpoch > first.LeaderEpoch && record.Leader != first.Leader);
        await ProduceAsync(cluster, "orders", "c");

        Assert.DoesNotContain(first.Leader, second.InSync.Select(member => member.Broker));
        Assert.Equal(["0:a", "1:b", "2:c"], await ReadAsync(cluster, "orders"));
    }

    [Fact]
    public async Task A_killed_broker_catches_up_when_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        var follower = cluster.RecordOf("orders").Replicas[2];
        await ProduceAsync(cluster, "orders", "a");
        await cluster.Engine.KillAsync(follower);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 2);
        await ProduceAsync(cluster, "orders", "b");

        await cluster.Engine.StartAsync(follower);
        await cluster.UntilAsync("orders", record => record.IsInSync(follower));

        var replica = cluster.Broker(follower).Partitions.Find(new TopicPartition("orders", 0))!;
        Assert.Equal(new Offset(2), replica.Log.LogEndOffset);
    }

    [Fact]
    public async Task Too_few_replicas_refuse_what_must_be_safe_and_take_what_need_not_be()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3, ("min.insync.replicas", "3"));
        var first = cluster.RecordOf("orders");
        await cluster.Engine.KillAsync(first.Replicas[2]);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 2);
        await using var client = await cluster.ConnectAsync(first.Leader);

        Assert.Equal(ErrorCode.NotEnoughReplicas, (await client.ProduceAsync("orders", Batches.Of("a"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("orders", Batches.Of("b"), acks: 1)).ErrorCode);
        Assert.Empty(Batches.Read((await client.FetchAsync("orders", 0)).Records ?? default));

        await cluster.Engine.StartAsync(first.Replicas[2]);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 3);
        Assert.Equal(["0:b"], Batches.Read((await client.FetchAsync("orders", 0, maxWaitMs: 30_000)).Records!.Value));
    }

    [Fact]
    public async Task A_leader_that_wakes_up_after_another_was_elected_acknowledges_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(3, ("broker.session.timeout.ms", "100"));
        await CreateAsync(cluster, "orders", 3);
        var first = cluster.RecordOf("orders");
        await using var client = await cluster.ConnectAsync(first.Leader);
        await client.ProduceAsync("orders", Batches.Of("a"));

        await cluster.Engine.PauseAsync(first.Leader);
        await client.SendAsync(BrokerScript.Produce("orders", Batches.Of("zombie")), 9);
        await cluster.UntilAsync("orders", record => record.Leader != first.Leader && record.Leader != BrokerId.None);
        await ProduceAsync(cluster, "orders", "b");
        await cluster.Engine.ResumeAsync(first.Leader);

        var answer = BrokerScript.Single(await client.ReceiveAsync<ProduceResponse>(9));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, answer.ErrorCode);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 3);
        Assert.Equal(["0:a", "1:b"], await ReadAsync(cluster, "orders"));
    }

    [Fact]
    public async Task Committed_offsets_outlive_their_coordinator()
    {
        await using var cluster = await TestCluster.StartAsync(3, ("offsets.topic.num.partitions", "1"));
        await CreateAsync(cluster, "orders", 3);
        await using (var client = await cluster.ConnectAsync(new(0)))
            await client.CallAsync(new FindCoordinatorRequest { Key = "readers", CoordinatorKeys = ["readers"] });
        var first = await cluster.UntilAsync("__consumer_offsets", record => record.Leader != BrokerId.None);
        await UntilCoordinatedAsync(cluster, first.Leader, client => CommitAsync(client, 42));

        await cluster.Engine.KillAsync(first.Leader);
        var second = await cluster.UntilAsync("__consumer_offsets", record => record.Leader != first.Leader && record.Leader != BrokerId.None);

        Assert.Equal(42, await UntilCoordinatedAsync(cluster, second.Leader, CommittedAsync));
    }

    [Fact]
    public async Task A_stopped_broker_hands_over_before_it_goes()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        var first = cluster.RecordOf("orders");
        await ProduceAsync(cluster, "orders", "a");

        await cluster.Engine.StopAsync(first.Leader);
        var second = await cluster.UntilAsync("orders", record => record.Leader != first.Leader && record.Leader != BrokerId.None);
        await cluster.Engine.StartAsync(first.Leader);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 3);

        Assert.Equal(["0:a"], await ReadAsync(cluster, "orders"));
        Assert.NotEqual(first.Leader, second.Leader);
    }

    [Fact]
    public async Task After_a_restart_of_everything_the_preferred_brokers_lead()
    {
        var data = Directory.CreateTempSubdirectory("orleanslog-restart-");
        await using (var cluster = await TestCluster.StartAsync(3, data.FullName, []))
        {
            await CreateAsync(cluster, "orders", 3, partitions: 6);
            await ProduceAsync(cluster, "orders", "a");
        }
        await using (var again = await TestCluster.StartAsync(3, data.FullName, []))
        {
            Assert.All(Enumerable.Range(0, 6), index => Assert.Equal(again.RecordOf("orders", index).Replicas[0], again.LeaderOf("orders", index)));
            await again.UntilAsync("orders", record => record.InSync.Length == 3);
            Assert.Equal(["0:a"], await ReadAsync(again, "orders"));
        }
        data.Delete(recursive: true);
    }

    [Fact]
    public async Task A_client_reads_from_the_replica_in_its_rack()
    {
        await using var cluster = await TestCluster.StartAsync(3, null, ["a", "b", "c"]);
        await CreateAsync(cluster, "orders", 3);
        await ProduceAsync(cluster, "orders", "a");
        var record = cluster.RecordOf("orders");
        var near = record.Replicas[1];
        var request = BrokerScript.Fetch("orders", 0, maxWaitMs: 30_000);
        request.RackId = cluster.Engine.Cluster.Image.FindBroker(near)!.Rack!;

        await using var atLeader = await cluster.ConnectAsync(record.Leader);
        var told = BrokerScript.Single(await atLeader.CallAsync(request, 12));
        await using var atFollower = await cluster.ConnectAsync(near);
        var read = BrokerScript.Single(await atFollower.CallAsync(request, 12));

        Assert.Equal(near.Value, told.PreferredReadReplica);
        Assert.Equal(["0:a"], Batches.Read(read.Records!.Value));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await atFollower.FetchAsync("orders", 0)).ErrorCode);
    }

    [Fact]
    public async Task More_replicas_than_brokers_are_refused()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await using var client = await cluster.ConnectAsync(new(0));

        var refused = await client.CreateTopicAsync("orders", replicas: 3);

        Assert.Equal(ErrorCode.InvalidReplicationFactor, refused.ErrorCode);
        Assert.Equal("3 replicas need as many living brokers; there are 2.", refused.ErrorMessage);
        Assert.Null(cluster.Engine.Cluster.Image.FindTopic("orders"));
    }

    // A coordinator that has just been elected reads its partition first, and says so.
    private static async Task<T> UntilCoordinatedAsync<T>(TestCluster cluster, BrokerId broker, Func<TestClient, Task<T?>> ask) where T : struct
    {
        await using var client = await cluster.ConnectAsync(broker);
        while (true)
        {
            if (await ask(client) is { } answer)
                return answer;
            await Task.Yield();
        }
    }

    private static async Task<int?> CommitAsync(TestClient client, long offset)
    {
        var response = await client.CallAsync(new OffsetCommitRequest
        {
            GroupId = "readers",
            GenerationIdOrMemberEpoch = -1,
            Topics = [new() { Name = "orders", Partitions = [new() { PartitionIndex = 0, CommittedOffset = offset }] }],
        }, 8);
        var error = response.Topics[0].Partitions[0].ErrorCode;
        return Retry(error) ? null : 0;
    }

    private static async Task<long?> CommittedAsync(TestClient client)
    {
        var response = await client.CallAsync(new OffsetFetchRequest
        {
            Groups = [new() { GroupId = "readers", Topics = [new() { Name = "orders", PartitionIndexes = [0] }] }],
        }, 8);
        var group = response.Groups[0];
        return Retry(group.ErrorCode) ? null : group.Topics[0].Partitions[0].CommittedOffset;
    }

    private static bool Retry(ErrorCode error)
    {
        if (error is ErrorCode.CoordinatorLoadInProgress or ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable)
            return true;
        Assert.Equal(ErrorCode.None, error);
        return false;
    }
}
