using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.ClusterTests.Client;

/// <summary>How a client reaches the brokers.</summary>
public enum Way
{
    Wire,
    GrainsFromOutside,
    GrainsWithinTheSilo,
}

/// <summary>What works over the Kafka protocol works over grains, through the same interfaces.</summary>
public sealed class SameClientAnyWayTests : IAsyncLifetime
{
    private readonly Stack<IAsyncDisposable> _open = new();
    private LogSilo _silo = null!;

    public static TheoryData<Way> Ways => [.. Enum.GetValues<Way>()];

    public async ValueTask InitializeAsync() => _open.Push(_silo = await LogSilo.StartNewAsync());

    public async ValueTask DisposeAsync()
    {
        while (_open.TryPop(out var opened)) await opened.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Records_come_back_in_their_order(Way way)
    {
        var client = await ConnectAsync(way);
        await client.Admin.CreateTopicAsync(new NewTopic("orders", PartitionCount: 1));
        await using (var producer = client.CreateProducer())
        {
            for (var i = 0; i < 1000; i++) await producer.PostAsync("orders", new OutgoingRecord { Value = Bytes(i) });
            await producer.FlushAsync();
            Assert.Equal(1000, (await producer.ProduceAsync("orders", Bytes(1000))).Offset.Value);
        }
        Assert.Equal(Enumerable.Range(0, 1001), await ReadAsync(client, "orders", 1001));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Topics_are_made_described_changed_and_deleted(Way way)
    {
        var client = await ConnectAsync(way);
        var partition = new TopicPartition("stock", 0);
        await client.Admin.CreateTopicAsync(new NewTopic("stock", PartitionCount: 2));
        await client.Admin.CreatePartitionsAsync("stock", 3);
        await client.Admin.AlterConfigsAsync(ConfigResource.Topic("stock"), [ConfigChange.Set("retention.ms", "60000")]);
        await using (var producer = client.CreateProducer(new ProducerOptions { Partitioner = new FirstPartition() }))
        {
            for (var i = 0; i < 10; i++) await producer.ProduceAsync("stock", Bytes(i));
        }
        await client.Admin.DeleteRecordsAsync(new Dictionary<TopicPartition, Offset> { [partition] = new(4) });

        Assert.Equal(3, (await client.Admin.DescribeTopicAsync("stock")).Partitions.Count);
        Assert.Contains(await client.Admin.DescribeConfigsAsync(ConfigResource.Topic("stock")), entry => entry is { Name: "retention.ms", Value: "60000" });
        Assert.Equal(4, (await client.Admin.ListOffsetsAsync(new Dictionary<TopicPartition, OffsetSpec> { [partition] = OffsetSpec.Earliest }))[partition].Offset.Value);
        Assert.Equal(10, (await client.Admin.ListOffsetsAsync(new Dictionary<TopicPartition, OffsetSpec> { [partition] = OffsetSpec.Latest }))[partition].Offset.Value);

        await client.Admin.DeleteTopicAsync("stock");
        Assert.DoesNotContain(await client.Admin.ListTopicsAsync(), topic => topic.Name == "stock");
        var again = await Assert.ThrowsAsync<OrleansLogException>(() => client.Admin.DeleteTopicAsync("stock"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, again.ErrorCode);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_share_group_takes_each_record_and_says_what_became_of_it(Way way)
    {
        var client = await ConnectAsync(way);
        await client.Admin.CreateTopicAsync(new NewTopic("jobs", PartitionCount: 1));
        await client.Admin.AlterConfigsAsync(new(ConfigResourceType.Group, "handlers"), [ConfigChange.Set("share.auto.offset.reset", "earliest")]);
        await using (var producer = client.CreateProducer())
        {
            for (var i = 0; i < 10; i++) await producer.ProduceAsync("jobs", Bytes(i));
        }
        await using var consumer = client.CreateShareConsumer<byte[], byte[]>(new() { GroupId = "handlers", Acknowledgement = ShareAcknowledgement.Explicit });
        consumer.Subscribe("jobs");
        var deliveries = new List<int>();
        await foreach (var record in consumer.ConsumeAsync())
        {
            deliveries.Add(record.DeliveryCount);
            if (record.Offset.Value == 4 && record.DeliveryCount == 1) record.Release();
            else record.Accept();
            if (deliveries.Count == 11) break;
        }
        Assert.All(await consumer.CommitAsync(), outcome => Assert.Equal(ErrorCode.None, outcome.Error));
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2], deliveries);
        Assert.Equal(10, Assert.Single(await client.Admin.ListShareGroupOffsetsAsync("handlers")).Start!.Value.Value);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_group_goes_on_where_it_committed(Way way)
    {
        var client = await ConnectAsync(way);
        await client.Admin.CreateTopicAsync(new NewTopic("visits", PartitionCount: 1));
        await using (var producer = client.CreateProducer())
        {
            for (var i = 0; i < 20; i++) await producer.ProduceAsync("visits", Bytes(i));
        }
        var options = new ConsumerOptions { GroupId = "readers", OffsetReset = OffsetReset.Earliest, Commit = CommitMode.Manual };
        await using (var first = client.CreateConsumer<byte[], byte[]>(options))
        {
            first.Subscribe("visits");
            Assert.Equal(Enumerable.Range(0, 12), await TakeAsync(first, 12));
            await first.CommitAsync([new TopicPartitionOffset(new TopicPartition("visits", 0), new Offset(12))]);
        }
        await using (var second = client.CreateConsumer<byte[], byte[]>(options))
        {
            second.Subscribe("visits");
            Assert.Equal(Enumerable.Range(12, 8), await TakeAsync(second, 8));
            Assert.Single((await client.Admin.DescribeGroupAsync("readers")).Members);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_transaction_is_read_whole_or_not_at_all(Way way)
    {
        var client = await ConnectAsync(way);
        await client.Admin.CreateTopicAsync(new NewTopic("bills", PartitionCount: 1));
        await using var producer = client.CreateProducer(new ProducerOptions { TransactionalId = $"billing-{way}" });
        await using (var transaction = producer.BeginTransaction())
        {
            for (var i = 0; i < 5; i++) await producer.ProduceAsync("bills", Bytes(i));
            await transaction.SendOffsetsAsync([new(new TopicPartition("bills", 0), new Offset(3))], new ConsumerGroupMetadata("copiers"));
            await transaction.CommitAsync();
        }
        await using (var transaction = producer.BeginTransaction()) await producer.ProduceAsync("bills", Bytes(77));
        await using (var transaction = producer.BeginTransaction())
        {
            await producer.ProduceAsync("bills", Bytes(5));
            await transaction.CommitAsync();
        }

        await using var consumer = client.CreateConsumer<byte[], byte[]>(
            new ConsumerOptions { IsolationLevel = IsolationLevel.ReadCommitted, OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartition("bills", 0)]);
        Assert.Equal(Enumerable.Range(0, 6), await TakeAsync(consumer, 6));
        await using var group = client.CreateConsumer<byte[], byte[]>(
            new ConsumerOptions { GroupId = "copiers", IsolationLevel = IsolationLevel.ReadCommitted, Commit = CommitMode.Manual });
        Assert.Equal(3, Assert.Single(await group.CommittedAsync([new TopicPartition("bills", 0)])).Offset.Value);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Many_requests_in_flight_keep_their_order(Way way)
    {
        const int Records = 5_000;
        var client = await ConnectAsync(way);
        await client.Admin.CreateTopicAsync(new NewTopic("ticks", PartitionCount: 1));
        var options = new ProducerOptions { BatchBytes = 256, RequestBytesMax = 256, RequestsInFlightPerBrokerMax = 48, BatchesInFlightPerPartitionMax = 48 };
        await using (var producer = client.CreateProducer(options))
        {
            for (var i = 0; i < Records; i++) await producer.PostAsync("ticks", new OutgoingRecord { Value = Bytes(i) });
            await producer.FlushAsync();
        }
        Assert.Equal(Enumerable.Range(0, Records), await ReadAsync(client, "ticks", Records));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Records_without_acknowledgement_arrive(Way way)
    {
        var client = await ConnectAsync(way);
        await client.Admin.CreateTopicAsync(new NewTopic("pings", PartitionCount: 1));
        await using (var producer = client.CreateProducer(new ProducerOptions { Acks = Acks.None }))
        {
            for (var i = 0; i < 10; i++) await producer.ProduceAsync("pings", Bytes(i));
        }
        Assert.Equal(Enumerable.Range(0, 10), await ReadAsync(client, "pings", 10));
    }

    private async Task<OrleansLogClient> ConnectAsync(Way way)
    {
        if (way == Way.GrainsWithinTheSilo) return _silo.Services.GetRequiredService<OrleansLogClient>();
        if (way == Way.Wire)
        {
            var client = new OrleansLogClient(_silo.Kafka);
            _open.Push(client);
            return client;
        }
        var application = await _silo.ConnectAsync();
        _open.Push(application);
        return application.Log;
    }

    private static async Task<List<int>> ReadAsync(OrleansLogClient client, string topic, int count)
    {
        await using var consumer = client.CreateConsumer<byte[], byte[]>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartition(topic, 0)]);
        return await TakeAsync(consumer, count);
    }

    private static async Task<List<int>> TakeAsync(Consumer<byte[], byte[]> consumer, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        List<int> values = [];
        await foreach (var record in consumer.ConsumeAsync(patience.Token))
        {
            values.Add(int.Parse(Encoding.ASCII.GetString(record.Value!), CultureInfo.InvariantCulture));
            if (values.Count == count) break;
        }
        return values;
    }

    private static byte[] Bytes(int number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    private sealed class FirstPartition : IPartitioner
    {
        public int Choose(string topic, ReadOnlySpan<byte> key, bool hasKey, int partitionCount) => 0;
    }
}
