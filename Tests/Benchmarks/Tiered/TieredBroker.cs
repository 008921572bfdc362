using System.Diagnostics;
using OrleansLog.Benchmarks.Peers;
using OrleansLog.Benchmarks.Scenarios;
using OrleansLog.Client;

namespace OrleansLog.Benchmarks.Tiered;

/// <summary>One broker of ours with a remote store, that looks for what is to be stored once a second.</summary>
internal sealed class TieredBroker : IDisposable
{
    public const int SegmentBytes = 64 << 20;

    private readonly BenchmarkOptions _options;
    private readonly string[] _arguments;
    private readonly string _data;
    private readonly Metrics _metrics;
    private RunningBroker _running;

    public TieredBroker(BenchmarkOptions options, IStoreReader store)
    {
        _options = options;
        _data = Path.Combine(options.DataDirectory, "broker");
        _metrics = new Metrics(options.HttpPort);
        _arguments = [.. store.SiloArguments, "--config", "remote.log.manager.task.interval.ms=1000", "--config", "log.retention.check.interval.ms=1000", .. LimitOf(options)];
        _running = Start();
    }

    public OrleansLogClient Connect() => new(_running.EndPoint.ToString());

    public void Restart()
    {
        _running.Dispose();
        _running = Start();
    }

    /// <summary>Waits until no more of a topic is on the disk than is to stay there.</summary>
    public async Task AwaitStoredAsync(string topic, long localBytes)
    {
        while (BytesOnDisk(topic) > localBytes + (3L * SegmentBytes) || _metrics.Sum("remote_lag") * TieredRecords.ValueBytes > 2L * SegmentBytes)
        {
            RunningBroker.ThrowIfAbandoned();
            await Task.Delay(100);
        }
    }

    public long BytesOnDisk(string topic) => new DirectoryInfo(Path.Combine(_data, "broker-0", topic + "-0")).EnumerateFiles("*.log").Sum(file => file.Length);

    /// <summary>Starts a command of <c>olog</c> against it.</summary>
    /// <exception cref="UnavailableException">It is not built.</exception>
    public Process StartOlog(params string[] arguments)
    {
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
        var path = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../OrleansLog.Cli", configuration, "olog.dll"));
        if (!File.Exists(path))
        {
            throw new UnavailableException($"no {path}: build it (dotnet build -c Release Client/OrleansLog.Cli)");
        }

        var start = new ProcessStartInfo("dotnet", [path, .. arguments, "--bootstrap", _running.EndPoint.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        _ = new ProcessLog(process);
        return process;
    }

    public void Dispose()
    {
        _running.Dispose();
        _metrics.Dispose();
    }

    private RunningBroker Start() => new OrleansLogBroker(_options).StartProcess(_data, _options.FirstPort, 1, _arguments).Broker;

    private static string[] LimitOf(BenchmarkOptions options) =>
        options.FetchLimitMegabytes is { } limit ? ["--config", $"remote.log.manager.fetch.max.bytes.per.second={limit * 1_000_000L}"] : [];
}
