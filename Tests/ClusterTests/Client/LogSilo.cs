using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Support;
using OrleansLog.Silo.Clustering;
using OrleansLog.Silo.Options;

namespace OrleansLog.ClusterTests.Client;

/// <summary>
/// One silo with its broker in this process that can be stopped and started again where it was; alone in its cluster, or
/// with others of the same blob container.
/// </summary>
internal sealed class LogSilo(int id = 0, string cluster = "orleanslog", string? blobs = null, Action<ISiloBuilder>? configure = null) : IAsyncDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("orleanslog-silo-");
    private readonly int[] _ports = FreePorts.Find(3);
    private ClusterEngine? _engine;

    public string Kafka => $"127.0.0.1:{_ports[0]}";

    public ClusterEngine Engine => _engine!;

    public IServiceProvider Services => _engine!.Services;

    public static async Task<LogSilo> StartNewAsync()
    {
        var silo = new LogSilo();
        await silo.StartAsync();
        return silo;
    }

    public async Task StartAsync() => _engine = await ClusterEngine.StartAsync(
        new OrleansLog.Silo.Options.SiloOptions
        {
            DataDirectory = _data.FullName,
            BrokerId = id,
            Clustering = blobs is null ? Clustering.Local : Clustering.Blobs,
            BlobConnection = blobs,
            BlobContainer = cluster,
            ClusterName = cluster,
            KafkaPort = _ports[0],
            SiloPort = _ports[1],
            GatewayPort = _ports[2],
        },
        silo =>
        {
            silo.AddOrleansLogClient();
            configure?.Invoke(silo);
        },
        NullLoggerFactory.Instance,
        CancellationToken.None);

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _engine, null) is { } engine) await engine.DisposeAsync();
    }

    /// <summary>An application outside of the silos, with an Orleans client and the log's client on it.</summary>
    public Task<Application> ConnectAsync(
        Func<ClientOptions, ClientOptions>? configure = null, int? messageBytesMax = null, Action<IClientBuilder>? more = null) => Application.StartAsync(
        cluster,
        orleans =>
        {
            orleans.UseStaticClustering(new IPEndPoint(IPAddress.Loopback, _ports[2]));
            if (messageBytesMax is { } max) orleans.Configure<ClientMessagingOptions>(messaging => messaging.MaxMessageBodySize = max);
            more?.Invoke(orleans);
        },
        configure);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _data.Delete(recursive: true);
    }
}
