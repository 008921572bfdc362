using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Broker;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Embedded;
using OrleansLog.Broker.Files;
using OrleansLog.Kafka;
using OrleansLog.Replication.Brokers;
using OrleansLog.Storage;
using OneBroker = OrleansLog.Broker.Broker;

namespace OrleansLog.UnitTests.Support;

/// <summary>
/// An embedded engine with its Kafka endpoint on a free loopback port and a data directory of its own, which goes with
/// it unless it was given one.
/// </summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private readonly EmbeddedEngine _engine;
    private readonly DirectoryInfo? _ownDirectory;

    private TestBroker(EmbeddedEngine engine, IPEndPoint endPoint, DirectoryInfo? ownDirectory)
    {
        _engine = engine;
        EndPoint = endPoint;
        _ownDirectory = ownDirectory;
    }

    public IPEndPoint EndPoint { get; }

    public OneBroker Broker => _engine.Brokers[0];

    public static async Task<TestBroker> StartAsync(
        string? dataDirectory = null, TimeProvider? time = null, ILogFileSystem? files = null, params (string Name, string Value)[] config)
    {
        var ownDirectory = dataDirectory is null ? Directory.CreateTempSubdirectory("orleanslog-test-") : null;
        var listener = KafkaServer.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endPoint = (IPEndPoint)listener.LocalEndPoint!;
        time ??= TimeProvider.System;
        var options = new BrokerOptions
        {
            DataDirectory = dataDirectory ?? ownDirectory!.FullName,
            Brokers = [new BrokerAddress("127.0.0.1", endPoint.Port)],
            Config = config.Aggregate(ConfigValues.Empty, (values, pair) => values.With(ConfigSource.StaticBroker, pair.Name, pair.Value)),
            Serve = broker => KafkaServer.Start(listener, broker, time, NullLogger<KafkaServer>.Instance),
        };
        var engine = await EmbeddedEngine.StartAsync(options, files ?? new PhysicalFileSystem(), time, NullLoggerFactory.Instance, default);
        return new TestBroker(engine, endPoint, ownDirectory);
    }

    public Task<TestClient> ConnectAsync() => TestClient.ConnectAsync(EndPoint);

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        _ownDirectory?.Delete(recursive: true);
    }
}
