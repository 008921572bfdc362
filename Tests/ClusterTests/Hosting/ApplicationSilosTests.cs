using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OrleansLog.Client;
using OrleansLog.Hosting;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Metadata;

namespace OrleansLog.ClusterTests.Hosting;

/// <summary>Brokers on an application's own silos, their metadata in whatever grain storage it has.</summary>
public sealed class ApplicationSilosTests(Azurite azurite) : IAsyncLifetime
{
    private const string Topic = "orders";
    private const int Records = 60;

    private readonly List<ApplicationSilo> _silos = [];

    public ValueTask InitializeAsync()
    {
        var cluster = $"application-{Guid.NewGuid():n}";
        for (var number = 0; number < 3; number++) _silos.Add(new ApplicationSilo(number, cluster, azurite.ConnectionString));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos) await silo.DisposeAsync();
    }

    [Fact]
    public async Task Form_one_log_that_a_silo_leaves_and_comes_back_to()
    {
        foreach (var silo in _silos) await silo.StartAsync(silo.InGrainStorage);
        var client = ClientOf(_silos[1]);
        await client.Admin.CreateTopicAsync(new NewTopic(Topic, PartitionCount: 3, ReplicationFactor: 3));
        await ProduceAsync(client, from: 0);

        await _silos[0].StopAsync();
        Assert.DoesNotContain(0, await LeadersAsync(client));
        await ProduceAsync(client, from: Records);

        // It is who it was, for its directory says so.
        await _silos[0].StartAsync(_silos[0].InGrainStorage with { BrokerId = null });
        Assert.Equal(0, _silos[0].Services.GetRequiredService<ILogBroker>().Id);
        Assert.Equal(Enumerable.Range(0, 2 * Records), (await ReadAsync(ClientOf(_silos[0]), 2 * Records)).Order());
    }

    [Fact]
    public async Task Serve_Kafka_clients_and_say_how_they_are()
    {
        await _silos[0].StartAsync(_silos[0].InFiles);
        var broker = _silos[0].Services.GetRequiredService<ILogBroker>();
        Assert.Null(broker.NotReady);
        await using var client = new OrleansLogClient(new ClientOptions { BootstrapServers = broker.Address! });
        await client.Admin.CreateTopicAsync(new NewTopic(Topic));
        await ProduceAsync(client, from: 0);
        Assert.Equal(Records, (await ReadAsync(client, Records)).Count);
    }

    [Fact]
    public async Task That_cannot_agree_with_the_others_do_not_start()
    {
        await _silos[0].StartAsync(_silos[0].InFiles);
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => _silos[1].StartAsync(_silos[1].InFiles));
        Assert.Contains("Broker 0 is a member of this cluster already", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Say_which_broker_they_are()
    {
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => _silos[0].StartAsync(_silos[0].InGrainStorage with { BrokerId = null }));
        Assert.Contains("set LogBrokerOptions.BrokerId", problem.Message, StringComparison.Ordinal);

        await _silos[0].StartAsync(_silos[0].InGrainStorage);
        await _silos[0].StopAsync();
        await Assert.ThrowsAsync<BrokerIdentityException>(() => _silos[0].StartAsync(_silos[0].InGrainStorage with { BrokerId = 7 }));
    }

    [Fact]
    public async Task Refuse_what_no_broker_understands() =>
        await Assert.ThrowsAsync<ArgumentException>(() => _silos[0].StartAsync(
            _silos[0].InFiles with { Config = new Dictionary<string, string> { ["log.segment.bits"] = "8" } }));

    private static OrleansLogClient ClientOf(ApplicationSilo silo) => silo.Services.GetRequiredService<OrleansLogClient>();

    private static async Task<IEnumerable<int>> LeadersAsync(OrleansLogClient client) =>
        (await client.Admin.DescribeTopicAsync(Topic)).Partitions.Select(partition => partition.Leader.Value);

    private static async Task ProduceAsync(OrleansLogClient client, int from)
    {
        await using var producer = client.CreateProducer();
        await Task.WhenAll(Enumerable.Range(from, Records).Select(number => producer.ProduceAsync(Topic, Encoding.UTF8.GetBytes($"{number}")).AsTask()));
    }

    private static async Task<List<int>> ReadAsync(OrleansLogClient client, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var read = new List<int>();
        await using var consumer = client.CreateConsumer<byte[], byte[]>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        var topic = await client.Admin.DescribeTopicAsync(Topic);
        consumer.Assign(topic.Partitions.Select(partition => new TopicPartition(Topic, partition.Partition)));
        await foreach (var record in consumer.ConsumeAsync(patience.Token))
        {
            read.Add(int.Parse(Encoding.UTF8.GetString(record.Value!), CultureInfo.InvariantCulture));
            if (read.Count == count) break;
        }

        return read;
    }
}
