using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.Extensions.Logging.Console;
using OrleansLog.Silo.Http;
using OrleansLog.Silo.Metrics;
using OrleansLog.Silo.Options;
using OrleansLog.Silo.Telemetry;

namespace OrleansLog.Silo;

/// <summary>
/// The life of the process: HTTP first, then the engine; one line when it serves; until it is told to stop, then the
/// engine down first, flushed, and HTTP last.
/// </summary>
public static class SiloProcess
{
    /// <summary>How long stopping may take before the process gives up and ends as failed.</summary>
    public static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(20);

    public static string Version { get; } =
        typeof(SiloProcess).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>Runs until <paramref name="stop"/>; the result is the exit code.</summary>
    /// <exception cref="StartException">It could not start.</exception>
    public static async Task<int> RunAsync(SiloOptions options, StartEngine start, TextWriter output, CancellationToken stop)
    {
        using var loggers = Loggers(options.LogLevel);
        using var metrics = new MetricCollector(name => TelemetryExport.Meters.Contains(name));
        using var exported = TelemetryExport.Start(Version);
        var health = new Health();
        await using var http = await HttpEndpoint.StartAsync(new IPEndPoint(Address(options.Host), options.HttpPort), health, metrics, loggers, stop);
        try
        {
            var engine = await start(options, loggers, stop);
            health.Follow(() => engine.NotReady);
            http.ChangeBroker = engine.ChangeBrokerAsync;
            http.FindBroker = () => engine.Broker;
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"OrleansLog {Version} serves Kafka on {engine.Addresses} and HTTP on {options.Host}:{http.Port}, data in {options.DataDirectory}"));
            await Stopped(stop);
            health.Stop();
            await engine.DisposeAsync().AsTask().WaitAsync(StopTimeMax, CancellationToken.None);
            return (int)ExitCode.Success;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return (int)ExitCode.Success;
        }
        catch (TimeoutException)
        {
            throw new StartException(ExitCode.Failure, $"stopping took longer than {StopTimeMax.TotalSeconds} s; what was acknowledged is safe");
        }
    }

    /// <summary>The address that a name or address stands for.</summary>
    public static IPAddress Address(string host)
    {
        if (IPAddress.TryParse(host, out var address))
            return address;
        try
        {
            return Dns.GetHostAddresses(host).OrderBy(a => a.AddressFamily is AddressFamily.InterNetwork ? 0 : 1).First();
        }
        catch (Exception problem) when (problem is SocketException or InvalidOperationException or ArgumentException)
        {
            throw new StartException(ExitCode.Usage, $"--host {host} is neither an address nor a name that resolves", problem);
        }
    }

    private static async Task Stopped(CancellationToken stop)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(stopped.SetResult);
        await stopped.Task;
    }

    private static ILoggerFactory Loggers(LogLevel level) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(level)
        .AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning)
        .AddFilter("Orleans", level is LogLevel.Information or LogLevel.Warning ? LogLevel.Error : level)
        .AddFilter("Orleans.Runtime.MembershipService", level)
        // What keeps the host from starting is told once, in words, by whoever asked it to start.
        .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        })
        .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
}
