using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Client;

/// <summary>A client that knows one gateway, or is in one of the silos, reaches every broker by its own way.</summary>
public sealed class SeveralBrokersTests(Azurite azurite) : IAsyncLifetime
{
    private const int Partitions = 6;

    private readonly List<LogSilo> _silos = [];

    public async ValueTask InitializeAsync()
    {
        var cluster = $"grains-{Guid.NewGuid():n}";
        for (var id = 0; id < 2; id++)
        {
            _silos.Add(new LogSilo(id, cluster, azurite.ConnectionString));
            await _silos[id].StartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos) await silo.DisposeAsync();
    }

    [Fact]
    public async Task From_outside_every_partition_is_reached()
    {
        await using var application = await _silos[0].ConnectAsync();
        await ProduceToAllAsync(application.Log);
    }

    [Fact]
    public async Task From_within_a_silo_every_partition_is_reached() =>
        await ProduceToAllAsync(_silos[1].Services.GetRequiredService<OrleansLogClient>());

    /// <summary>
    /// Coordinators and leaders are on both silos, so that they ask each other and have markers written by each other. On a
    /// machine that stalls, one silo may lead everything for a while, so this goes on until both took part.
    /// </summary>
    [Fact]
    public async Task Transactions_reach_every_partition()
    {
        await using var application = await _silos[0].ConnectAsync();
        var client = application.Log;
        await client.Admin.CreateTopicAsync(new NewTopic("together", Partitions, ReplicationFactor: 2));
        var writers = 0;
        do
        {
            await WriteTransactionsAsync(client, $"writer-{writers++}");
        }
        while (writers < 6 || !await HasCoordinatorsOnBothAsync(client));

        await using var consumer = client.CreateConsumer(new ConsumerOptions { IsolationLevel = IsolationLevel.ReadCommitted, OffsetReset = OffsetReset.Earliest });
        consumer.Assign(Enumerable.Range(0, Partitions).Select(index => new TopicPartition("together", index)));
        var values = new List<string>();
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            foreach (var record in batch) values.Add(Encoding.UTF8.GetString(record.Value));
            if (values.Count == writers * Partitions) break;
        }
        Assert.All(values, value => Assert.Equal("record", value));
    }

    private static async Task WriteTransactionsAsync(OrleansLogClient client, string transactionalId)
    {
        await using var producer = client.CreateProducer(new ProducerOptions { TransactionalId = transactionalId, Partitioner = new InTurn() });
        await using (var aborted = producer.BeginTransaction()) await producer.ProduceAsync("together", "aborted"u8);
        await using var transaction = producer.BeginTransaction();
        for (var i = 0; i < Partitions; i++) await producer.ProduceAsync("together", "record"u8);
        await transaction.CommitAsync();
    }

    private static async Task<bool> HasCoordinatorsOnBothAsync(OrleansLogClient client) =>
        (await client.Admin.ListTransactionsAsync()).Select(transaction => transaction.Coordinator).Distinct().Count() == 2;

    private static async Task ProduceToAllAsync(OrleansLogClient client)
    {
        await client.Admin.CreateTopicAsync(new NewTopic("everywhere", Partitions, ReplicationFactor: 2));
        await Eventually.TrueAsync(
            async () => (await client.Admin.DescribeTopicAsync("everywhere")).Partitions.Select(partition => partition.Leader).Distinct().Count() == 2,
            "both brokers lead partitions");
        await using var producer = client.CreateProducer(new ProducerOptions { Partitioner = new InTurn() });
        var records = await Task.WhenAll(Enumerable.Range(0, 10 * Partitions).Select(_ => producer.ProduceAsync("everywhere", "record"u8).AsTask()));

        Assert.All(records.GroupBy(record => record.Partition), partition => Assert.Equal(10, partition.Count()));
    }

    private sealed class InTurn : IPartitioner
    {
        private int _next;

        public int Choose(string topic, ReadOnlySpan<byte> key, bool hasKey, int partitionCount) => Interlocked.Increment(ref _next) % partitionCount;
    }
}
