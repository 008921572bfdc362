using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Shares;

/// <summary>The client's share consumer against brokers that run, with leaders and coordinators that go.</summary>
public sealed class ShareConsumerTests
{
    private static readonly (string, string)[] Small =
    [
        ("offsets.topic.num.partitions", "1"), ("share.coordinator.state.topic.num.partitions", "1"), ("group.share.heartbeat.interval.ms", "200"),
        ("auto.leader.rebalance.enable", "false"), ("broker.session.timeout.ms", "500"),
    ];

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static async Task<(TestCluster Cluster, OrleansLogClient Client)> StartAsync(int brokers, int partitions = 1)
    {
        var cluster = await TestCluster.StartAsync(brokers, Small);
        await using (var control = await cluster.ConnectAsync(new(0)))
            await control.CreateTopicAsync("jobs", partitions, replicas: (short)brokers);
        var client = new OrleansLogClient(cluster.BootstrapFrom(new(0)));
        await client.Admin.AlterConfigsAsync(new(ConfigResourceType.Group, "g"), [ConfigChange.Set("share.auto.offset.reset", "earliest")]);
        return (cluster, client);
    }

    private static async Task ProduceAsync(OrleansLogClient client, int from, int count)
    {
        await using var producer = client.CreateProducer<string, string>(new ProducerOptions());
        await Task.WhenAll(Enumerable.Range(from, count).Select(index => producer.ProduceAsync("jobs", $"{index}", $"job-{index}").AsTask()));
    }

    private static ShareConsumer<string, string> Consumer(OrleansLogClient client, ShareAcknowledgement acknowledgement, Action<ShareAcknowledged>? told = null)
    {
        var consumer = client.CreateShareConsumer<string, string>(new() { GroupId = "g", Acknowledgement = acknowledgement, Acknowledged = told, RecordsMax = 20, IsStrict = true });
        consumer.Subscribe("jobs");
        return consumer;
    }

    [Fact]
    public async Task Two_consumers_handle_every_record_once()
    {
        var (cluster, client) = await StartAsync(1, partitions: 2);
        await using var _ = cluster;
        await using var __ = client;
        await ProduceAsync(client, 0, 200);
        var handled = new System.Collections.Concurrent.ConcurrentBag<string>();
        using var stop = new CancellationTokenSource(Patience);
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            await using var consumer = Consumer(client, ShareAcknowledgement.Implicit);
            try
            {
                await foreach (var record in consumer.ConsumeAsync(stop.Token))
                {
                    handled.Add(record.Value!);
                    if (handled.Count < 200) continue;
                    await consumer.CommitAsync();
                    await stop.CancelAsync();
                }
            }
            catch (OperationCanceledException)
            {
            }
        }));
        Assert.Equal(200, handled.Count);
        Assert.Equal(200, handled.Distinct().Count());
    }

    [Fact]
    public async Task What_is_released_comes_again_with_its_delivery_count_and_what_is_rejected_does_not()
    {
        var (cluster, client) = await StartAsync(1);
        await using var _ = cluster;
        await using var __ = client;
        await ProduceAsync(client, 0, 3);
        await using var consumer = Consumer(client, ShareAcknowledgement.Explicit);
        using var stop = new CancellationTokenSource(Patience);
        var seen = new List<string>();
        await foreach (var record in consumer.ConsumeAsync(stop.Token))
        {
            seen.Add($"{record.Offset}*{record.DeliveryCount}");
            if (record.Offset.Value == 0) record.Accept();
            else if (record.Offset.Value == 1) record.Reject();
            else if (record.DeliveryCount < 3) record.Release();
            else
            {
                await record.RenewAsync();
                record.Accept();
                break;
            }
        }
        Assert.Equal(["0*1", "1*1", "2*1", "2*2", "2*3"], seen);
        Assert.All(await consumer.CommitAsync(), outcome => Assert.Equal(ErrorCode.None, outcome.Error));
        Assert.Equal(new Offset(3), Assert.Single(await client.Admin.ListShareGroupOffsetsAsync("g")).Start);
    }

    [Fact]
    public async Task A_consumer_that_stops_leaves_what_it_had_to_the_next()
    {
        var (cluster, client) = await StartAsync(1);
        await using var _ = cluster;
        await using var __ = client;
        await ProduceAsync(client, 0, 10);
        using var stop = new CancellationTokenSource(Patience);
        await using (var first = Consumer(client, ShareAcknowledgement.Implicit))
        {
            await foreach (var record in first.ConsumeAsync(stop.Token))
            {
                if (record.Offset.Value == 4) break;
            }
        }
        await using var second = Consumer(client, ShareAcknowledgement.Implicit);
        var rest = new List<long>();
        await foreach (var record in second.ConsumeAsync(stop.Token))
        {
            rest.Add(record.Offset.Value);
            if (rest.Count == 6) break;
        }
        Assert.Equal([4, 5, 6, 7, 8, 9], rest);
    }

    [Fact]
    public async Task A_group_is_described_and_moved_by_the_admin_client()
    {
        var (cluster, client) = await StartAsync(1);
        await using var _ = cluster;
        await using var __ = client;
        await ProduceAsync(client, 0, 10);
        using var stop = new CancellationTokenSource(Patience);
        await using (var consumer = Consumer(client, ShareAcknowledgement.Implicit))
        {
            await foreach (var record in consumer.ConsumeAsync(stop.Token))
            {
                if (record.Offset.Value == 9) break;
            }
            await consumer.CommitAsync();
            var group = await client.Admin.DescribeGroupAsync("g");
            Assert.Equal(("share", "Stable", 1), (group.GroupType, group.State, group.Members.Count));
            Assert.Equal(ErrorCode.NonEmptyGroup, (await Assert.ThrowsAsync<OrleansLogException>(() => client.Admin.AlterShareGroupOffsetsAsync("g", []))).ErrorCode);
        }
        Assert.Equal((new Offset(10), 0L), Assert.Single(await client.Admin.ListShareGroupOffsetsAsync("g")) is { Start: { } start, Lag: { } lag } ? (start, lag) : default);
        await client.Admin.AlterShareGroupOffsetsAsync("g", [new(new("jobs", 0), new Offset(7))]);
        Assert.Equal((new Offset(7), 3L), Assert.Single(await client.Admin.ListShareGroupOffsetsAsync("g")) is { Start: { } from, Lag: { } left } ? (from, left) : default);
        await using (var consumer = Consumer(client, ShareAcknowledgement.Implicit))
        {
            await foreach (var record in consumer.ConsumeAsync(stop.Token))
            {
                Assert.Equal(7, record.Offset.Value);
                break;
            }
        }
        Assert.Equal(ErrorCode.None, Assert.Single(await client.Admin.DeleteGroupsAsync(["g"])).Error);
        Assert.DoesNotContain(await client.Admin.ListGroupsAsync(), listed => listed.GroupId == "g");
    }

    [Theory]
    [InlineData("jobs")]
    [InlineData("__share_group_state")]
    [InlineData("__consumer_offsets")]
    public async Task Whoever_is_killed_nothing_acknowledged_comes_again_and_nothing_is_lost(string led)
    {
        const int records = 300;
        var (cluster, client) = await StartAsync(3);
        await using var _ = cluster;
        await using var __ = client;
        await ProduceAsync(client, 0, records);
        var answered = new HashSet<long>();
        var handled = new HashSet<long>();
        void Note(ShareAcknowledged outcome)
        {
            if (outcome.Error != ErrorCode.None) return;
            lock (answered) answered.UnionWith(outcome.Offsets.Select(offset => offset.Value));
        }

        using var stop = new CancellationTokenSource(Patience);
        await using var consumer = Consumer(client, ShareAcknowledgement.Explicit, Note);
        var killed = false;
        await foreach (var record in consumer.ConsumeAsync(stop.Token))
        {
            lock (answered) Assert.DoesNotContain(record.Offset.Value, answered);
            handled.Add(record.Offset.Value);
            record.Accept();
            if (record.Offset.Value % 7 == 0) await consumer.CommitAsync(stop.Token);
            if (!killed && handled.Count == records / 3)
            {
                killed = true;
                var leader = cluster.LeaderOf(led);
                await cluster.Engine.KillAsync(leader);
                await cluster.UntilAsync(led, partition => partition.Leader != leader && partition.Leader != BrokerId.None);
            }
            if (handled.Count == records) break;
        }
        Assert.Equal(records, handled.Count);
    }
}
