using System.Text;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Transactions of the client library, over a broker of the embedded engine.</summary>
public sealed class TransactionalProducerTests
{
    private static readonly ConsumerOptions Committed = new()
    {
        IsolationLevel = IsolationLevel.ReadCommitted,
        OffsetReset = OffsetReset.Earliest,
        FetchWaitMsMax = 50,
        Commit = CommitMode.Manual,
    };

    private static async Task<(TestBroker Broker, OrleansLogClient Client)> StartAsync(TimeProvider? time = null)
    {
        var broker = await TestBroker.StartAsync(time: time, config:
            [("transaction.state.log.num.partitions", "2"), ("offsets.topic.num.partitions", "2"), ("group.initial.rebalance.delay.ms", "0")]);
        await using var raw = await broker.ConnectAsync();
        foreach (var topic in (string[])["in", "out"]) await raw.CreateTopicAsync(topic, partitions: 2);
        return (broker, new OrleansLogClient(broker.EndPoint.ToString()));
    }

    private static Producer<int, string> Transactional(OrleansLogClient client, string id = "tx") =>
        client.CreateProducer<int, string>(new() { TransactionalId = id });

    // Up to a record that is written after all others.
    private static async Task<List<string>> ReadAsync(OrleansLogClient client, ConsumerOptions options, string topic = "out")
    {
        await using (var plain = client.CreateProducer())
        {
            for (var partition = 0; partition < 2; partition++)
                await plain.ProduceAsync(topic, new OutgoingRecord { Value = "end"u8, Partition = partition });
        }
        await using var consumer = client.CreateConsumer(options);
        consumer.Assign([new TopicPartition(topic, 0), new TopicPartition(topic, 1)]);
        var (values, ends) = (new List<string>(), 0);
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            foreach (var record in batch)
            {
                var value = Encoding.UTF8.GetString(record.Value);
                if (value == "end") ends++;
                else values.Add(value);
            }
            if (ends >= 2) break;
        }
        values.Sort(StringComparer.Ordinal);
        return values;
    }

    [Fact]
    public async Task What_is_committed_is_read_and_what_is_aborted_or_left_is_not()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await using var producer = Transactional(client);
        await using (var transaction = producer.BeginTransaction())
        {
            await producer.ProduceAsync("out", 1, "a");
            await producer.ProduceAsync("out", 2, "b");
            await transaction.CommitAsync();
        }
        await using (var transaction = producer.BeginTransaction())
        {
            await producer.ProduceAsync("out", 1, "aborted");
            await transaction.AbortAsync();
        }
        await using (var transaction = producer.BeginTransaction()) await producer.ProduceAsync("out", 1, "left");
        await using (var transaction = producer.BeginTransaction())
        {
            await producer.ProduceAsync("out", 1, "c");
            await transaction.CommitAsync();
        }

        var committed = await ReadAsync(client, Committed);
        Assert.Equal(["a", "b", "c"], committed);
        Assert.Contains("aborted", await ReadAsync(client, Committed with { IsolationLevel = IsolationLevel.ReadUncommitted }));
    }

    [Fact]
    public async Task Nothing_is_written_outside_a_transaction_and_one_is_open_at_a_time()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await using var producer = Transactional(client);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await producer.ProduceAsync("out", 1, "a"));
        await using var transaction = producer.BeginTransaction();
        Assert.Throws<InvalidOperationException>(() => producer.BeginTransaction());
        await transaction.CommitAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await transaction.CommitAsync());
        Assert.Throws<InvalidOperationException>(() => client.CreateProducer().BeginTransaction());
        Assert.Throws<ArgumentException>(() => client.CreateProducer(new() { TransactionalId = "x", Acks = Acks.Leader }));
    }

    [Fact]
    public async Task A_fenced_producer_is_told_so_and_writes_no_more()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await using var first = Transactional(client);
        var transaction = first.BeginTransaction();
        await first.ProduceAsync("out", 1, "lost");
        await using var second = Transactional(client);
        await using (var other = second.BeginTransaction())
        {
            await second.ProduceAsync("out", 1, "kept");
            await other.CommitAsync();
        }

        var fenced = await Assert.ThrowsAsync<OrleansLogException>(async () => await transaction.CommitAsync());
        Assert.Equal(ErrorCode.ProducerFenced, fenced.ErrorCode);
        Assert.Contains("taken over", fenced.Message);
        await transaction.DisposeAsync();
        Assert.Throws<OrleansLogException>(() => first.BeginTransaction());
        Assert.Equal(["kept"], await ReadAsync(client, Committed));
    }

    [Fact]
    public async Task A_transaction_that_the_broker_aborted_cannot_be_committed_and_the_next_one_can()
    {
        var clock = new ManualClock();
        var (broker, client) = await StartAsync(clock);
        await using var _ = broker;
        await using var __ = client;
        await using var producer = Transactional(client);
        await using (var transaction = producer.BeginTransaction())
        {
            await producer.ProduceAsync("out", At(clock, "late"));
            clock.AdvanceMs(60_001);
            await using var raw = await broker.ConnectAsync();
            while ((await DescribeAsync(raw)).State != "CompleteAbort") await Task.Yield();
            await Assert.ThrowsAsync<OrleansLogException>(async () => await transaction.CommitAsync());
        }
        await using (var transaction = producer.BeginTransaction())
        {
            await producer.ProduceAsync("out", At(clock, "kept"));
            await transaction.CommitAsync();
        }
        await using var consumer = client.CreateConsumer<int, string>(Committed);
        consumer.Assign([new TopicPartition("out", 0), new TopicPartition("out", 1)]);
        await foreach (var record in consumer.ConsumeAsync())
        {
            Assert.Equal("kept", record.Value);
            break;
        }
    }

    private static OutgoingRecord<int, string> At(ManualClock clock, string value) => new(1, value) { Timestamp = clock.GetUtcNow() };

    private static async Task<DescribeTransactionsResponse.TransactionState> DescribeAsync(TestClient raw) =>
        (await raw.CallAsync(new DescribeTransactionsRequest { TransactionalIds = ["tx"] })).TransactionStates[0];

    [Fact]
    public async Task Offsets_go_with_the_transaction()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await using (var plain = client.CreateProducer<int, string>())
            for (var i = 0; i < 20; i++) await plain.ProduceAsync("in", i, $"{i:00}");
        var copied = 0;
        for (var round = 0; copied < 20; round++)
        {
            await using var producer = Transactional(client);
            await using var consumer = client.CreateConsumer<int, string>(Committed with { GroupId = "copiers", SessionTimeoutMs = 6_000 });
            consumer.Subscribe("in");
            await using var transaction = producer.BeginTransaction();
            var taken = 0;
            await foreach (var record in consumer.ConsumeAsync())
            {
                await producer.ProduceAsync("out", record.Key, record.Value);
                if (++taken == 5) break;
            }
            await transaction.SendOffsetsAsync(consumer.Positions, consumer.GroupMetadata);
            // Every other time the copier dies before it commits.
            if (round % 2 == 0) continue;
            await transaction.CommitAsync();
            copied += taken;
        }

        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i:00}"), await ReadAsync(client, Committed));
    }
}
