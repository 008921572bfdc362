using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OrleansLog.Broker;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Embedded;
using OrleansLog.Broker.Files;
using OrleansLog.Kafka;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Silo.Options;
using OrleansLog.Storage;

namespace OrleansLog.Silo;

/// <summary>All brokers in this process over real files, each with a Kafka endpoint of its own.</summary>
internal sealed class EmbeddedBrokers : IEngine
{
    private readonly EmbeddedEngine _engine;
    private readonly PhysicalFileSystem _files;
    private readonly List<Socket> _unused;
    private readonly BrokerMetrics _metrics;

    private EmbeddedBrokers(EmbeddedEngine engine, PhysicalFileSystem files, List<Socket> unused, string addresses)
    {
        _engine = engine;
        _files = files;
        _unused = unused;
        _metrics = new BrokerMetrics(() => engine.Brokers);
        Addresses = addresses;
    }

    public string? NotReady =>
        _engine.Brokers.SelectMany(b => b.Partitions.All).FirstOrDefault(p => p.Log.Failure is not null) is { } failed
            ? $"{failed.Id} does not accept records: {failed.Log.Failure!.Message}"
            : null;

    public string Addresses { get; }

    public Broker.Broker? Broker => _engine.Brokers is [var first, ..] ? first : null;

    /// <summary>Claims the ports, then the data directory; serves when everything in it is recovered.</summary>
    public static async Task<IEngine> StartAsync(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var listeners = KafkaEndpoints.Bind(options);
        var endPoints = listeners.Select(l => (IPEndPoint)l.LocalEndPoint!).ToList();
        var files = new PhysicalFileSystem();
        try
        {
            var brokers = KafkaEndpoints.Describe(options, listeners) with { Serve = Serve, RemoteStore = await RemoteStores.OpenAsync(options, files, cancellation) };
            var engine = await EmbeddedEngine.StartAsync(brokers, files, TimeProvider.System, loggers, cancellation);
            return new EmbeddedBrokers(engine, files, listeners, string.Join(", ", endPoints));
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException or SocketException)
        {
            listeners.ForEach(l => l.Dispose());
            files.Dispose();
            throw KafkaEndpoints.Explain(problem, options);
        }

        // The first time on the port that was claimed before all else, later on the same one again.
        KafkaServer Serve(Broker.Broker broker)
        {
            var endPoint = endPoints[broker.Id.Value];
            var listener = listeners.Find(l => l.LocalEndPoint!.Equals(endPoint));
            if (listener is not null)
                listeners.Remove(listener);
            return KafkaServer.Start(listener ?? KafkaServer.Bind(endPoint), broker, TimeProvider.System, loggers.CreateLogger<KafkaServer>());
        }
    }

    public async Task<(bool IsChanged, string Text)> ChangeBrokerAsync(int id, string action)
    {
        var broker = new BrokerId(id);
        var outcome = action switch
        {
            "kill" => await _engine.KillAsync(broker),
            "pause" => await _engine.PauseAsync(broker),
            "resume" => await _engine.ResumeAsync(broker),
            "stop" => await _engine.StopAsync(broker),
            "start" => await _engine.StartAsync(broker),
            _ => new(false, $"There is no action '{action}': there are kill, pause, resume, stop and start."),
        };
        return (outcome.IsChanged, outcome.Text);
    }

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _engine.DisposeAsync();
        _unused.ForEach(l => l.Dispose());
        _files.Dispose();
    }
}
