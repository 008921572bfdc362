using System.Diagnostics;
using System.Globalization;
using System.Net;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Clients.Kafka;

namespace OrleansLog.Benchmarks.Peers;

/// <summary>The broker under test: one that runs already, or a process of the built silo, started with default settings.</summary>
internal sealed class OrleansLogBroker(BenchmarkOptions options) : IContestant
{
    private const int Terminate = 15, Kill = 9;
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(60);

    public const string ContestantName = "orleanslog";

    public string Name => ContestantName;

    public bool SpeaksKafka => true;

    public RunningBroker Start(string dataDirectory, int port, Durability durability) =>
        options.Target is null ? StartProcess(dataDirectory, port).Broker : UseRunning(options.Target);

    /// <summary>Starts a process and returns it with the time from its start until it answered a request.</summary>
    public (RunningBroker Broker, Process Process, TimeSpan StartTime) StartProcess(string dataDirectory, int port, int brokers = 1, params string[] arguments)
    {
        var assembly = FindAssembly();
        Directory.CreateDirectory(dataDirectory);
        arguments = [assembly, "--data", dataDirectory, "--kafka-port", Text(port), "--http-port", Text(options.HttpPort), "--brokers", Text(brokers), .. arguments];
        var endPoint = new IPEndPoint(IPAddress.Loopback, port);
        if (Answers(endPoint))
        {
            throw new UnavailableException($"{ContestantName} cannot be had: another broker answers on {endPoint}; give --first-port or --target");
        }

        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        var watch = Stopwatch.StartNew();
        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start");
        var log = new ProcessLog(process);
        AwaitAnswer(endPoint, process, log);
        var startTime = watch.Elapsed;
        return (Describe(endPoint, [process.Id], () => Stop(process, Terminate)), process, startTime);
    }

    /// <summary>Ends a process that <see cref="StartProcess"/> started as a crash would.</summary>
    public static void Crash(Process process) => Stop(process, Kill);

    private RunningBroker UseRunning(string target)
    {
        var endPoint = IPEndPoint.Parse(target.Replace("localhost", "127.0.0.1", StringComparison.Ordinal));
        return Describe(endPoint, options.TargetProcessId is { } id ? [id] : [], () => { });
    }

    private static RunningBroker Describe(IPEndPoint endPoint, int[] processIds, Action stop) => new(stop)
    {
        Name = ContestantName,
        Version = typeof(Protocol.Offset).Assembly.GetName().Version?.ToString(3) ?? "?",
        EndPoint = endPoint,
        Client = new KafkaClient(endPoint, FlushConfig.OrleansLog),
        ProcessIds = processIds,
        SpeaksKafka = true,
        IsOurs = true,
    };

    // Beside this program's own output folder, of the same configuration, unless --silo names another.
    private string FindAssembly()
    {
        var configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
        var path = options.SiloAssembly
            ?? Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../OrleansLog.Silo", configuration, "OrleansLog.Silo.dll"));
        return File.Exists(path) ? path : throw new UnavailableException(
            $"{ContestantName} cannot be had: no {path}; build it (dotnet build -c Release Silo/OrleansLog.Silo), or give --silo or --target");
    }

    private static void AwaitAnswer(IPEndPoint endPoint, Process process, ProcessLog log)
    {
        for (var deadline = DateTime.UtcNow + LongestStart; !Answers(endPoint); Thread.Yield())
        {
            if (process.HasExited || DateTime.UtcNow > deadline)
            {
                Stop(process, Kill);
                throw new UnavailableException($"{ContestantName} did not serve on {endPoint}: {log.Tail()}");
            }
        }
    }

    private static bool Answers(IPEndPoint endPoint)
    {
        try
        {
            KafkaClient.Ping(endPoint);
            return true;
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or BrokerException)
        {
            return false;
        }
    }

    private static void Stop(Process process, int signal)
    {
        if (!process.HasExited)
        {
            using var kill = Process.Start("kill", ["-" + Text(signal), Text(process.Id)]);
            kill.WaitForExit();
        }

        process.WaitForExit();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Keeps reading a process's output so that it never blocks, and the last of it to show when it fails.</summary>
internal sealed class ProcessLog
{
    private const int LinesMax = 20;
    private readonly Queue<string> _lines = new();

    public ProcessLog(Process process)
    {
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Tail()
    {
        lock (_lines)
        {
            return string.Join('\n', _lines);
        }
    }

    private void Add(string? line)
    {
        lock (_lines)
        {
            if (line is not null)
            {
                _lines.Enqueue(line);
            }

            if (_lines.Count > LinesMax)
            {
                _lines.Dequeue();
            }
        }
    }
}
