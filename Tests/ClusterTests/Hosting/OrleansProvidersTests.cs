using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Protocol;
using OrleansLog.Silo;
using OrleansLog.Silo.Clustering;
using OrleansLog.Silo.Options;
using OrleansLog.UnitTests.Metadata;
using SiloOptions = OrleansLog.Silo.Options.SiloOptions;

namespace OrleansLog.ClusterTests.Hosting;

/// <summary>Silos that find one another, and what they agree on, by providers of Orleans that its own configuration names.</summary>
public sealed class OrleansProvidersTests(Azurite azurite) : IAsyncLifetime
{
    private const string Topic = "orders";
    private const int Records = 60;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("orleanslog-providers-");
    private readonly List<ClusterEngine> _silos = [];
    private readonly int[] _ports = FreePorts.Find(6);
    private readonly string _container = $"providers-{Guid.NewGuid():n}";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        // The first one has the membership.
        foreach (var silo in Enumerable.Reverse(_silos)) await silo.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Form_one_log()
    {
        var settings = Write(new
        {
            Clustering = new { ProviderType = "Development", PrimarySiloEndPoint = $"127.0.0.1:{_ports[0]}" },
            GrainStorage = new { metadata = new { ProviderType = "AzureBlobStorage", azurite.ConnectionString, ContainerName = _container } },
        });
        await StartAsync(0, settings);
        await StartAsync(1, settings);
        await using var client = new OrleansLogClient($"127.0.0.1:{_ports[2]},127.0.0.1:{_ports[5]}");
        await Eventually.TrueAsync(async () => (await client.Admin.DescribeClusterAsync()).Brokers.Count == 2);
        await client.Admin.CreateTopicAsync(new NewTopic(Topic, PartitionCount: 2, ReplicationFactor: 2));
        await ProduceAsync(client, from: 0);

        await LeaveAsync();
        await ProduceAsync(client, from: Records);
        // It is who it was, for its directory says so.
        await StartAsync(1, settings, isNew: false);

        Assert.Equal(Enumerable.Range(0, 2 * Records), (await ReadAsync(client)).Order());
    }

    [Fact]
    public async Task Say_what_the_settings_lack()
    {
        await RefusesAsync(Write(new { }), "Orleans:Clustering:ProviderType");
        await RefusesAsync(Write(new { Clustering = new { ProviderType = "Development" } }), "Orleans__GrainStorage__metadata__ProviderType");
        await RefusesAsync(
            Write(new { Clustering = new { ProviderType = "Nobodys" }, GrainStorage = new { metadata = new { ProviderType = "Memory" } } }), "'Nobodys'");
        await RefusesAsync(Path.Combine(_directory.FullName, "missing.json"), "missing.json cannot be read");
    }

    [Fact]
    public async Task Say_which_broker_they_are()
    {
        var settings = Write(new { Clustering = new { ProviderType = "Development" }, GrainStorage = new { metadata = new { ProviderType = "Memory" } } });
        var refused = await Assert.ThrowsAsync<StartException>(() => StartAsync(0, settings, isNew: false));
        Assert.Contains("--broker-id", refused.Message, StringComparison.Ordinal);
    }

    private async Task RefusesAsync(string settings, string expected)
    {
        var refused = await Assert.ThrowsAsync<StartException>(() => StartAsync(0, settings));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    private async Task StartAsync(int id, string settings, bool isNew = true)
    {
        var ports = _ports.AsSpan(3 * id, 3);
        var options = new SiloOptions
        {
            DataDirectory = Path.Combine(_directory.FullName, $"broker-{id}"),
            BrokerId = isNew ? id : null,
            Clustering = Clustering.Orleans,
            OrleansSettings = settings,
            ClusterName = _container,
            SiloPort = ports[0],
            GatewayPort = ports[1],
            KafkaPort = ports[2],
        };
        _silos.Add(await ClusterEngine.StartAsync(options, static _ => { }, NullLoggerFactory.Instance, CancellationToken.None));
    }

    private async Task LeaveAsync()
    {
        await _silos[^1].DisposeAsync();
        _silos.RemoveAt(_silos.Count - 1);
    }

    private string Write(object orleans)
    {
        var path = Path.Combine(_directory.FullName, $"{Guid.NewGuid():n}.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new { Orleans = orleans }));
        return path;
    }

    private static async Task ProduceAsync(OrleansLogClient client, int from)
    {
        await using var producer = client.CreateProducer();
        await Task.WhenAll(Enumerable.Range(from, Records).Select(number => producer.ProduceAsync(Topic, Encoding.UTF8.GetBytes($"{number}")).AsTask()));
    }

    private static async Task<List<int>> ReadAsync(OrleansLogClient client)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var read = new List<int>();
        await using var consumer = client.CreateConsumer<byte[], byte[]>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartition(Topic, 0), new TopicPartition(Topic, 1)]);
        await foreach (var record in consumer.ConsumeAsync(patience.Token))
        {
            read.Add(int.Parse(Encoding.UTF8.GetString(record.Value!), CultureInfo.InvariantCulture));
            if (read.Count == 2 * Records) break;
        }

        return read;
    }
}
