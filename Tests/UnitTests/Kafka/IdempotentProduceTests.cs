using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Kafka;

public sealed class IdempotentProduceTests
{
    private static byte[] Batch(long producerId, int sequence, string value, short epoch = 0)
    {
        using var builder = new RecordBatchBuilder(1 << 20) { ProducerId = producerId, ProducerEpoch = epoch, BaseSequence = sequence };
        builder.TryAppend(1_000, default, keyIsNull: true, Encoding.UTF8.GetBytes(value), valueIsNull: false, []);
        return builder.Build().ToArray();
    }

    private static async Task<long> InitAsync(TestClient client, short? version = null)
    {
        var answer = await client.CallAsync(new InitProducerIdRequest { TransactionalId = null }, version);
        Assert.Equal((ErrorCode.None, (short)0), (answer.ErrorCode, answer.ProducerEpoch));
        return answer.ProducerId;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Every_version_hands_out_a_producer_id(short version)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        Assert.Equal(0, await InitAsync(client, version));
        Assert.Equal(1, await InitAsync(client, version));
    }

    [Fact]
    public async Task What_is_sent_again_is_answered_with_where_it_lies_and_stored_once()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        var id = await InitAsync(client);

        foreach (var attempt in (int[])[1, 2])
        {
            Assert.Equal(0, (await client.ProduceAsync("orders", Batch(id, 0, "a"))).BaseOffset);
            Assert.Equal(1, (await client.ProduceAsync("orders", Batch(id, 1, "b"))).BaseOffset);
        }

        Assert.Equal(["0:a", "1:b"], Batches.Read((await client.FetchAsync("orders", 0)).Records!.Value));
    }

    [Fact]
    public async Task A_gap_an_earlier_epoch_and_a_transaction_are_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batch(7, 0, "a", epoch: 3));

        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await client.ProduceAsync("orders", Batch(7, 2, "b", epoch: 3))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, (await client.ProduceAsync("orders", Batch(7, 1, "b", epoch: 2))).ErrorCode);
        Assert.Equal(1, (await client.ListOffsetAsync("orders", -1)).Offset);
    }

    [Fact]
    public async Task No_producer_id_is_handed_out_twice_by_several_brokers_or_after_a_restart()
    {
        var ids = new List<long>();
        var data = Directory.CreateTempSubdirectory("orleanslog-test-");
        for (var start = 0; start < 2; start++)
        {
            await using var broker = await TestBroker.StartAsync(data.FullName);
            await using var client = await broker.ConnectAsync();
            for (var i = 0; i < 1002; i++) ids.Add(await InitAsync(client));
        }
        data.Delete(recursive: true);
        Assert.Equal(2004, ids.Distinct().Count());

        await using var cluster = await TestCluster.StartAsync(3);
        ids.Clear();
        for (var each = 0; each < 30; each++)
        {
            await using var client = await cluster.ConnectAsync(new BrokerId(each % 3));
            ids.Add(await InitAsync(client));
        }
        Assert.Equal(30, ids.Distinct().Count());
        Assert.Equal(3, ids.Select(id => id / 1000).Distinct().Count());
    }

    [Fact]
    public async Task A_producer_is_known_after_a_restart_and_by_the_next_leader()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await ClusterScript.CreateAsync(cluster, "orders", 3);
        var first = cluster.RecordOf("orders");
        await using (var client = await cluster.ConnectAsync(first.Leader))
        {
            await client.ProduceAsync("orders", Batch(7, 0, "a"));
            await client.ProduceAsync("orders", Batch(7, 1, "b"));
        }

        await cluster.Engine.KillAsync(first.Leader);
        var second = await cluster.UntilAsync("orders", record => record.Leader != first.Leader && record.Leader != BrokerId.None);
        await using var next = await cluster.ConnectAsync(second.Leader);
        Assert.Equal(1, (await ProduceAsync(next, Batch(7, 1, "b"))).BaseOffset);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await ProduceAsync(next, Batch(7, 3, "d"))).ErrorCode);
        Assert.Equal(2, (await ProduceAsync(next, Batch(7, 2, "c"))).BaseOffset);
    }

    // Who was elected a moment ago may not have heard of it.
    private static async Task<ProduceResponse.PartitionProduceResponse> ProduceAsync(TestClient client, byte[] batch)
    {
        ProduceResponse.PartitionProduceResponse answer;
        do
            answer = await client.ProduceAsync("orders", batch);
        while (answer.ErrorCode == ErrorCode.NotLeaderOrFollower);
        return answer;
    }

    [Fact]
    public async Task Silence_makes_a_producer_unknown()
    {
        var clock = new ManualClock();
        await using var broker = await TestBroker.StartAsync(time: clock, config: ("producer.id.expiration.ms", "60000"));
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batch(7, 0, "a"));
        clock.AdvanceMs(61_000);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("orders", Batch(7, 9, "b"))).ErrorCode);
    }
}
