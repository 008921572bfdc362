using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Embedded;
using OrleansLog.Broker.Files;
using OrleansLog.Broker.Tiering;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;
using OneBroker = OrleansLog.Broker.Broker;

namespace OrleansLog.UnitTests.Support;

/// <summary>
/// Several brokers in one embedded engine, each with its own endpoint on loopback, to be killed, paused and started. Waits
/// are for the cluster's image to change, not for time to pass.
/// </summary>
internal sealed class TestCluster : IScriptedCluster, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly IPEndPoint[] _endPoints;
    private readonly DirectoryInfo? _ownDirectory;

    private TestCluster(EmbeddedEngine engine, string dataDirectory, IPEndPoint[] endPoints, DirectoryInfo? ownDirectory)
    {
        Engine = engine;
        DataDirectory = dataDirectory;
        _endPoints = endPoints;
        _ownDirectory = ownDirectory;
    }

    public EmbeddedEngine Engine { get; }

    public string DataDirectory { get; }

    public static Task<TestCluster> StartAsync(int brokers, params (string Name, string Value)[] config) =>
        StartAsync(brokers, null, [], config);

    /// <param name="brokers">How many.</param>
    /// <param name="dataDirectory">Where; null for a directory that goes with the cluster.</param>
    /// <param name="racks">Where the brokers stand, if they say so.</param>
    /// <param name="config">Broker configs.</param>
    public static async Task<TestCluster> StartAsync(
        int brokers, string? dataDirectory, string[] racks, params (string Name, string Value)[] config)
    {
        var own = dataDirectory is null ? Directory.CreateTempSubdirectory("orleanslog-cluster-") : null;
        var claimed = Enumerable.Range(0, brokers).Select(_ => KafkaServer.Bind(new IPEndPoint(IPAddress.Loopback, 0))).ToDictionary(
            listener => (IPEndPoint)listener.LocalEndPoint!);
        var endPoints = claimed.Keys.ToArray();
        var files = new PhysicalFileSystem();
        var values = config.Aggregate(ConfigValues.Empty, (values, pair) => values.With(ConfigSource.StaticBroker, pair.Name, pair.Value));
        var options = new BrokerOptions
        {
            DataDirectory = dataDirectory ?? own!.FullName,
            Brokers = [.. endPoints.Select((endPoint, id) => new BrokerAddress("127.0.0.1", endPoint.Port, racks.ElementAtOrDefault(id)))],
            Config = values,
            RemoteStore = values.TryGet(BrokerConfigs.RemoteStorageDirectory, out var remote) && remote.Length > 0 ? new DirectoryRemoteStore(files, remote) : null,
            Serve = broker => KafkaServer.Start(
                claimed.Remove(endPoints[broker.Id.Value], out var listener) ? listener : KafkaServer.Bind(endPoints[broker.Id.Value]),
                broker, TimeProvider.System, NullLogger<KafkaServer>.Instance),
        };
        var engine = await EmbeddedEngine.StartAsync(options, files, TimeProvider.System, NullLoggerFactory.Instance, default);
        return new TestCluster(engine, options.DataDirectory, endPoints, own);
    }

    /// <summary>All brokers as clients want them, that one first.</summary>
    public string BootstrapFrom(BrokerId first) => string.Join(',', _endPoints.OrderBy(endPoint => endPoint != _endPoints[first.Value]));

    public OneBroker Broker(BrokerId id) => Engine.Brokers.Single(broker => broker.Id == id);

    public Task<TestClient> ConnectAsync(BrokerId id) => TestClient.ConnectAsync(_endPoints[id.Value]);

    public BrokerId LeaderOf(string topic, int partition = 0) => RecordOf(topic, partition).Leader;

    public PartitionRecord RecordOf(string topic, int partition = 0) => Engine.Cluster.Image.FindPartition(new(topic, partition))!;

    /// <summary>The partitions whose files a broker has, by name.</summary>
    public string[] PartitionsOnDiskOf(BrokerId id) =>
        [.. new DirectoryInfo(Path.Combine(DataDirectory, $"broker-{id}")).GetDirectories().Select(directory => directory.Name).Order(StringComparer.Ordinal)];

    /// <summary>Waits until a broker has the files of these partitions and no others: they go after the records say so.</summary>
    public async Task UntilOnDiskAsync(BrokerId id, params string[] partitions)
    {
        for (var patience = Stopwatch.StartNew(); !PartitionsOnDiskOf(id).SequenceEqual(partitions); await Task.Yield())
            Assert.True(patience.Elapsed < Patience, $"Broker {id} kept {string.Join(' ', PartitionsOnDiskOf(id))}");
    }

    /// <summary>Waits until a partition's record is as it should be.</summary>
    public async Task<PartitionRecord> UntilAsync(string topic, Func<PartitionRecord, bool> isReached, int partition = 0)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (isReached(RecordOf(topic, partition)))
                reached.TrySetResult();
        }

        Engine.Cluster.Updated += Look;
        try
        {
            Look();
            await reached.Task.WaitAsync(Patience);
            return RecordOf(topic, partition);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{topic}-{partition} stayed: {RecordOf(topic, partition)}");
        }
        finally
        {
            Engine.Cluster.Updated -= Look;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _ownDirectory?.Delete(recursive: true);
    }
}
