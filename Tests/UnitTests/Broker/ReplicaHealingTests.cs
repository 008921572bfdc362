using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Support.ClusterScript;

namespace OrleansLog.UnitTests.Broker;

/// <summary>What becomes of replicas whose broker stays away.</summary>
public sealed class ReplicaHealingTests
{
    private const int DelayMs = 60_000;

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task A_broker_that_stays_away_is_replaced_and_deletes_its_replica_when_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync(4, ("replica.restore.delay.ms", "100"));
        await CreateAsync(cluster, "orders", 3);
        await ProduceAsync(cluster, "orders", "a");
        var gone = cluster.LeaderOf("orders");

        await cluster.Engine.KillAsync(gone);
        var healed = await cluster.UntilAsync("orders", record => !record.Replicas.Contains(gone) && record.InSync.Length == 3);
        await cluster.Engine.StartAsync(gone);

        Assert.Equal(3, healed.Replicas.Length);
        Assert.Equal(["0:a"], await ReadAsync(cluster, "orders"));
        Assert.Empty(cluster.PartitionsOnDiskOf(gone));
    }

    [Fact]
    public async Task A_broker_that_is_back_in_time_keeps_its_replicas()
    {
        await using var cluster = await StartAsync(4);
        await CreateAsync(cluster, "orders", 3);
        var before = cluster.RecordOf("orders");
        var away = before.Replicas[2];
        var healing = HealingOf(cluster);

        await cluster.Engine.KillAsync(away);
        await AfterAsync(healing, 0);
        await AfterAsync(healing, DelayMs - 1);
        Assert.Equal(before.Replicas, cluster.RecordOf("orders").Replicas);
        await cluster.Engine.StartAsync(away);
        await AfterAsync(healing, 1);
        await cluster.Engine.KillAsync(away);
        await AfterAsync(healing, DelayMs);
        await AfterAsync(healing, DelayMs - 1);
        Assert.Equal(before.Replicas, cluster.RecordOf("orders").Replicas);

        await AfterAsync(healing, 1);
        Assert.Contains(away, cluster.RecordOf("orders").Removing);
    }

    [Fact]
    public async Task Only_so_many_partitions_move_at_once()
    {
        await using var cluster = await StartAsync(3);
        await CreateAsync(cluster, "orders", 2, partitions: 12);
        var gone = new BrokerId(2);
        // Nothing arrives at this one for a while, nor leaves it.
        await cluster.Engine.PauseAsync(new(1));
        await cluster.Engine.KillAsync(gone);
        var healing = HealingOf(cluster, movesAtOnceMax: 3);

        await AfterAsync(healing, 0);
        await AfterAsync(healing, DelayMs);
        await AfterAsync(healing, DelayMs);
        Assert.Equal(3, Records(cluster).Count(record => !record.Removing.IsEmpty));

        await cluster.Engine.ResumeAsync(new(1));
        for (; Records(cluster).Any(record => record.Replicas.Contains(gone)); await Task.Yield())
            await AfterAsync(healing, 0);
        Assert.All(Records(cluster), record => Assert.Equal(2, record.Replicas.Length));
    }

    [Fact]
    public async Task What_nobody_leads_waits_for_its_broker()
    {
        await using var cluster = await StartAsync(2);
        await CreateAsync(cluster, "orders", 1);
        var before = cluster.RecordOf("orders");
        var healing = HealingOf(cluster);

        await cluster.Engine.KillAsync(before.Leader);
        await AfterAsync(healing, 0);
        await AfterAsync(healing, DelayMs);

        Assert.Equal(before, cluster.RecordOf("orders"));
    }

    [Fact]
    public async Task A_move_to_a_broker_that_stays_away_ends_where_a_copy_is()
    {
        await using var cluster = await StartAsync(4);
        await CreateAsync(cluster, "orders", 2);
        var before = cluster.RecordOf("orders");
        var coming = Enumerable.Range(0, 4).Select(id => new BrokerId(id)).First(id => !before.Replicas.Contains(id));
        await cluster.Engine.PauseAsync(coming);
        await using (var client = await cluster.ConnectAsync(before.Leader))
            await client.MoveAsync(new("orders", 0), [before.Leader.Value, coming.Value]);
        await cluster.Engine.KillAsync(coming);
        var healing = HealingOf(cluster);

        await AfterAsync(healing, 0);
        await AfterAsync(healing, DelayMs);
        var after = await cluster.UntilAsync("orders", record => record.Removing.IsEmpty);

        Assert.Equal(before.Replicas, after.Replicas);
    }

    private static Task<TestCluster> StartAsync(int brokers) =>
        TestCluster.StartAsync(brokers, ("replica.restore.delay.ms", "-1"), ("broker.session.timeout.ms", "600000"));

    private ReplicaHealing HealingOf(TestCluster cluster, int movesAtOnceMax = 32) =>
        new(cluster.Engine.Brokers[0].Topics, TimeSpan.FromMilliseconds(DelayMs), _clock, NullLogger<ReplicaHealing>.Instance) { MovesAtOnceMax = movesAtOnceMax };

    private async Task AfterAsync(ReplicaHealing healing, long milliseconds)
    {
        _clock.AdvanceMs(milliseconds);
        await healing.CheckAsync(CancellationToken.None);
    }

    private static ImmutableArray<PartitionRecord> Records(TestCluster cluster) => cluster.Engine.Cluster.Image.FindTopic("orders")!.Partitions;
}
