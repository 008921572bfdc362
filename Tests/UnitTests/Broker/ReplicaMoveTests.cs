using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>Partitions that move between the brokers of one process while they serve.</summary>
public sealed class ReplicaMoveTests
{
    private static readonly TopicPartition Orders = new("orders", 0);

    [Fact]
    public async Task A_partition_moves_off_all_its_brokers_while_it_is_written_to()
    {
        await using var cluster = await TestCluster.StartAsync(4);
        await CreateAsync(cluster, "orders", 2);
        var before = cluster.RecordOf("orders");
        int[] target = [.. Others(before, 4)];
        using var stop = new CancellationTokenSource();
        var writing = ProduceUntilAsync(cluster, "orders", stop.Token);
        await using var client = await cluster.ConnectAsync(new(0));

        Assert.Equal(ErrorCode.None, (await client.MoveAsync(Orders, target)).ErrorCode);
        var after = await cluster.UntilAsync("orders", IsAtRest);
        await stop.CancelAsync();
        var acknowledged = await writing;

        Assert.Equal(target, after.Replicas.Select(id => id.Value));
        Assert.Contains(after.Leader, after.Replicas);
        await AssertHoldsAsync(cluster, acknowledged);
        foreach (var old in before.Replicas)
            await cluster.UntilOnDiskAsync(old);
        Assert.Empty(await client.MovesAsync());
    }

    [Fact]
    public async Task A_leader_that_leaves_without_another_joining_hands_over()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 3);
        var before = cluster.RecordOf("orders");
        await ProduceAsync(cluster, "orders", "a");
        await using var client = await cluster.ConnectAsync(new(0));

        await client.MoveAsync(Orders, [before.Replicas[1].Value, before.Replicas[2].Value]);
        var after = await cluster.UntilAsync("orders", record => IsAtRest(record) && record.Replicas.Length == 2);

        Assert.Equal(before.Replicas[1], after.Leader);
        await cluster.UntilOnDiskAsync(before.Leader);
        Assert.Equal(["0:a"], await ReadAsync(cluster, "orders"));
    }

    [Fact]
    public async Task A_move_shows_while_it_is_under_way_and_can_be_called_off()
    {
        await using var cluster = await TestCluster.StartAsync(3, ("broker.session.timeout.ms", "600000"));
        await CreateAsync(cluster, "orders", 2);
        await ProduceAsync(cluster, "orders", "a");
        var before = cluster.RecordOf("orders");
        var coming = Others(before, 3).Single();
        await cluster.Engine.PauseAsync(new(coming));
        await using var client = await cluster.ConnectAsync(before.Leader);

        await client.MoveAsync(Orders, [coming, before.Replicas[0].Value]);
        var shown = Assert.Single(Assert.Single(await client.MovesAsync()).Partitions);
        Assert.Equal([coming, before.Replicas[0].Value, before.Replicas[1].Value], shown.Replicas);
        Assert.Equal([coming], shown.AddingReplicas);
        Assert.Equal([before.Replicas[1].Value], shown.RemovingReplicas);
        await ProduceAsync(cluster, "orders", "b");

        Assert.Equal(ErrorCode.None, (await client.MoveAsync(Orders, null)).ErrorCode);
        await cluster.Engine.ResumeAsync(new(coming));
        Assert.Empty(await client.MovesAsync());
        Assert.Equal(before.Replicas, cluster.RecordOf("orders").Replicas);
        await cluster.UntilOnDiskAsync(new(coming));
        Assert.Equal(["0:a", "1:b"], await ReadAsync(cluster, "orders"));
        Assert.Equal(ErrorCode.NoReassignmentInProgress, (await client.MoveAsync(Orders, null)).ErrorCode);
    }

    [Fact]
    public async Task A_move_under_way_can_be_sent_elsewhere_and_still_be_called_off()
    {
        await using var cluster = await TestCluster.StartAsync(4, ("broker.session.timeout.ms", "600000"));
        await CreateAsync(cluster, "orders", 2);
        var before = cluster.RecordOf("orders");
        var others = Others(before, 4).ToList();
        foreach (var other in others)
            await cluster.Engine.PauseAsync(new(other));
        await using var client = await cluster.ConnectAsync(before.Leader);

        await client.MoveAsync(Orders, [before.Leader.Value, others[0]]);
        await client.MoveAsync(Orders, [before.Leader.Value, others[1]]);

        Assert.Equal([new BrokerId(others[1])], cluster.RecordOf("orders").Adding);
        await client.MoveAsync(Orders, null);
        Assert.Equal(before.Replicas.Order(ById), cluster.RecordOf("orders").Replicas.Order(ById));
    }

    [Fact]
    public async Task A_move_that_cannot_be_is_refused_and_changes_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(4);
        await CreateAsync(cluster, "orders", 2);
        await cluster.UntilAsync("orders", record => record.InSync.Length == 2);
        var dead = new BrokerId(Others(cluster.RecordOf("orders"), 4).First());
        await cluster.Engine.KillAsync(dead);
        var before = cluster.RecordOf("orders");
        var leader = before.Leader.Value;
        await using var client = await cluster.ConnectAsync(before.Leader);

        await RefusedAsync(Orders, [leader, dead.Value], ErrorCode.InvalidReplicaAssignment, $"There is no living broker {dead}.");
        await RefusedAsync(Orders, [leader, 99], ErrorCode.InvalidReplicaAssignment, "There is no living broker 99.");
        await RefusedAsync(Orders, [leader, leader], ErrorCode.InvalidReplicaAssignment, "A broker holds a partition once; the replicas name one twice.");
        await RefusedAsync(Orders, [], ErrorCode.InvalidReplicaAssignment, "A partition needs at least one replica.");
        await RefusedAsync(new("orders", 7), [leader], ErrorCode.UnknownTopicOrPartition, "There is no partition orders-7.");
        await RefusedAsync(new("carts", 0), null, ErrorCode.UnknownTopicOrPartition, "There is no partition carts-0.");
        await RefusedAsync(Orders, null, ErrorCode.NoReassignmentInProgress, "orders-0 is not being moved.");
        Assert.Equal(ErrorCode.InvalidReplicationFactor, (await client.MoveAsync(Orders, [leader], mayChangeFactor: false)).ErrorCode);

        async Task RefusedAsync(TopicPartition partition, int[]? replicas, ErrorCode error, string message)
        {
            var outcome = await client.MoveAsync(partition, replicas);
            Assert.Equal((error, message), (outcome.ErrorCode, outcome.ErrorMessage));
            Assert.Equal(before, cluster.RecordOf("orders"));
        }
    }

    [Fact]
    public async Task A_topic_gets_more_replicas()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await CreateAsync(cluster, "orders", 1);
        await ProduceAsync(cluster, "orders", "a", "b");
        var before = cluster.RecordOf("orders");
        await using var client = await cluster.ConnectAsync(new(0));

        await client.MoveAsync(Orders, [before.Leader.Value, .. Others(before, 3)]);
        var after = await cluster.UntilAsync("orders", IsAtRest);

        Assert.Equal((3, 3, before.Leader), (after.Replicas.Length, after.InSync.Length, after.Leader));
        Assert.All(after.Replicas, id => Assert.Equal(new Offset(2), cluster.Broker(id).Partitions.Find(Orders)!.Log.LogEndOffset));
    }

    [Fact]
    public async Task A_broker_that_is_emptied_keeps_no_file_and_can_be_forgotten()
    {
        await using var cluster = await TestCluster.StartAsync(4);
        await CreateAsync(cluster, "orders", 3, partitions: 4);
        var leaving = new BrokerId(1);
        await using var client = await cluster.ConnectAsync(new(0));
        var held = Enumerable.Range(0, 4).Where(index => cluster.RecordOf("orders", index).Replicas.Contains(leaving)).ToList();
        Assert.Contains(held, index => cluster.LeaderOf("orders", index) == leaving);

        Assert.Equal("Broker 1 lives; stop it first.", (await UnregisterAsync(1)).ErrorMessage);
        foreach (var index in held)
        {
            var record = cluster.RecordOf("orders", index);
            await client.MoveAsync(new("orders", index), [.. record.Replicas.Where(id => id != leaving).Select(id => id.Value), Others(record, 4).Single()]);
        }
        foreach (var index in held)
            await cluster.UntilAsync("orders", record => IsAtRest(record) && !record.Replicas.Contains(leaving), index);

        await cluster.UntilOnDiskAsync(leaving);
        await cluster.Engine.StopAsync(leaving);
        Assert.Equal([(1, true)], await FencedAsync());
        Assert.Equal(ErrorCode.None, (await UnregisterAsync(1)).ErrorCode);
        Assert.Empty(await FencedAsync());
        Assert.Equal(ErrorCode.BrokerIdNotRegistered, (await UnregisterAsync(1)).ErrorCode);
        await cluster.Engine.KillAsync(new(3));
        Assert.Contains("still has", (await UnregisterAsync(3)).ErrorMessage);

        Task<UnregisterBrokerResponse> UnregisterAsync(int id) => client.CallAsync(new UnregisterBrokerRequest { BrokerId = id });

        async Task<IEnumerable<(int, bool)>> FencedAsync()
        {
            var described = await client.CallAsync(new DescribeClusterRequest { IncludeFencedBrokers = true });
            return described.Brokers.Where(broker => broker.IsFenced).Select(broker => (broker.BrokerId, broker.Port > 0));
        }
    }

    [Fact]
    public async Task A_broker_that_lost_its_replica_while_it_was_away_deletes_it_when_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync(4);
        await CreateAsync(cluster, "orders", 3);
        await CreateAsync(cluster, "carts", 3);
        var before = cluster.RecordOf("orders");
        var away = before.Replicas[2];
        await ProduceAsync(cluster, "orders", "a");
        var kept = cluster.PartitionsOnDiskOf(away).Where(name => name != "orders-0").ToArray();
        await cluster.Engine.KillAsync(away);
        await using var client = await cluster.ConnectAsync(before.Leader);

        await client.MoveAsync(Orders, [before.Replicas[0].Value, before.Replicas[1].Value, Others(before, 4).Single()]);
        await cluster.UntilAsync("orders", IsAtRest);
        Assert.Contains("orders-0", cluster.PartitionsOnDiskOf(away));
        await cluster.Engine.StartAsync(away);

        Assert.Equal(kept, cluster.PartitionsOnDiskOf(away));
        Assert.Null(cluster.Broker(away).Partitions.Find(Orders));
    }

    private static readonly Comparer<BrokerId> ById = Comparer<BrokerId>.Create((a, b) => a.Value.CompareTo(b.Value));

    private static bool IsAtRest(PartitionRecord record) => record.Adding.IsEmpty && record.Removing.IsEmpty && record.Leader != BrokerId.None;

    private static IEnumerable<int> Others(PartitionRecord record, int brokers) =>
        Enumerable.Range(0, brokers).Where(id => !record.Replicas.Contains(new BrokerId(id)));

    // What was sent again because its answer was lost may lie there twice.
    private static async Task AssertHoldsAsync(TestCluster cluster, List<string> acknowledged)
    {
        var read = (await ReadAsync(cluster, "orders")).Select(line => line.Split(':')[1]).ToList();
        Assert.Equal(acknowledged, read.Where(acknowledged.ToHashSet().Contains).Distinct());
    }
}
