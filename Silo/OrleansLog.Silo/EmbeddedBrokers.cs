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

    /// <summary>Claims the ports, then the data directory; serves when everything in it is recovered.</summary>
    public static async Task<IEngine> StartAsync(SiloOptions options, ILoggerFactory loggers, CancellationToken cancellation)
    {
        var listeners = Bind(options);
        var endPoints = listeners.Select(l => (IPEndPoint)l.LocalEndPoint!).ToList();
        var files = new PhysicalFileSystem();
        try
        {
            var brokers = Options(options, listeners) with { Serve = Serve };
            var engine = await EmbeddedEngine.StartAsync(brokers, files, TimeProvider.System, loggers, cancellation);
            return new EmbeddedBrokers(engine, files, listeners, string.Join(", ", endPoints));
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException or SocketException)
        {
            listeners.ForEach(l => l.Dispose());
            files.Dispose();
            throw Explain(problem, options);
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

    private static BrokerOptions Options(SiloOptions options, List<Socket> listeners)
    {
        var advertised = options.AdvertisedHost ?? (IsEveryAddress(options.Host) ? Dns.GetHostName() : options.Host);
        var addresses = listeners.Select(l => new BrokerAddress(advertised, ((IPEndPoint)l.LocalEndPoint!).Port)).ToList();
        if (options.Racks.Count > 0)
            addresses = [.. addresses.Select((address, number) => address with { Rack = options.Racks[number % options.Racks.Count] })];
        return new BrokerOptions
        {
            DataDirectory = options.DataDirectory,
            Brokers = addresses,
            Config = options.Config
                .With(ConfigSource.StaticBroker, BrokerConfigs.LogDirs.Name, options.DataDirectory)
                .With(ConfigSource.StaticBroker, BrokerConfigs.Listeners.Name, Uris(addresses.Select(a => a with { Host = options.Host })))
                .With(ConfigSource.StaticBroker, BrokerConfigs.AdvertisedListeners.Name, Uris(addresses)),
        };
    }

    private static string Uris(IEnumerable<BrokerAddress> addresses) =>
        string.Join(',', addresses.Select(a => string.Create(CultureInfo.InvariantCulture, $"PLAINTEXT://{a.Host}:{a.Port}")));

    private static bool IsEveryAddress(string host) =>
        IPAddress.TryParse(host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    private static List<Socket> Bind(SiloOptions options)
    {
        if (options.KafkaPort + options.Brokers - 1 > IPEndPoint.MaxPort)
            throw new StartException(ExitCode.Usage, $"--kafka-port {options.KafkaPort} leaves no ports for {options.Brokers} brokers");
        var address = SiloProcess.Address(options.Host);
        var listeners = new List<Socket>();
        for (var number = 0; number < options.Brokers; number++)
        {
            var endPoint = new IPEndPoint(address, options.KafkaPort == 0 ? 0 : options.KafkaPort + number);
            try
            {
                listeners.Add(KafkaServer.Bind(endPoint));
            }
            catch (SocketException problem)
            {
                listeners.ForEach(l => l.Dispose());
                throw CannotListen(endPoint.ToString(), problem);
            }
        }
        return listeners;
    }

    private static StartException CannotListen(string address, SocketException problem) => new(
        ExitCode.AddressInUse, $"Kafka cannot listen on {address}: {problem.Message} (--kafka-port chooses another port)", problem);

    private static StartException Explain(Exception problem, SiloOptions options) => problem switch
    {
        SocketException socket => CannotListen(string.Create(CultureInfo.InvariantCulture, $"{options.Host}:{options.KafkaPort}"), socket),
        DirectoryInUseException => new(ExitCode.DataDirectoryInUse, problem.Message, problem),
        InvalidDataException => new(ExitCode.DataNotReadable, $"the data directory {options.DataDirectory} cannot be used: {problem.Message}", problem),
        _ => new(ExitCode.DataDirectoryNotUsable, $"the data directory {options.DataDirectory} cannot be used: {problem.Message}", problem),
    };
}
