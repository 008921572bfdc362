using System.CommandLine;
using System.Runtime.InteropServices;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks;

/// <summary>The options that the programs share, and their binding.</summary>
internal static class CommandLine
{
    private static readonly Option<string[]> Peers = List<string>("--peers", "the brokers to compare with", ["kafka", "nats", "rabbitmq", "redis"]);
    private static readonly Option<int> Rounds = One("--rounds", "measured rounds of each broker; they take turns", 3);
    private static readonly Option<double> Seconds = One("--seconds", "how long a round lasts", 5.0);
    private static readonly Option<string[]> Durability = List<string>("--durability", "no-flush, flush", ["no-flush", "flush"]);
    private static readonly Option<int[]> RecordBytes = List("--record-bytes", "sizes of a record's value", [100, 1024]);
    private static readonly Option<int> BatchBytes = One("--batch-bytes", "bytes of values in a batch made beforehand", 64 << 10);
    private static readonly Option<int> Window = One("--window", "batches sent and not yet acknowledged", 16);
    private static readonly Option<int> FetchBytes = One("--fetch-bytes", "bytes asked for in one read", 1 << 20);
    private static readonly Option<int> Connections = One("--connections", "connections to each broker, each with its own topic", 1);
    private static readonly Option<int[]> Rates = List("--rates", "records per second (latency)", [1_000, 10_000]);
    private static readonly Option<double> Gigabytes = One("--gigabytes", "what is written before the crash (start-idle), or the size of the log, with five million keys for each (compaction), or of the topic (tiering)", 1.0);
    private static readonly Option<double> LocalGigabytes = One("--local-gigabytes", "what of the topic may stay on the broker's disk (tiering)", 0.1);
    private static readonly Option<string?> Store = One<string?>("--store", "an empty directory as the remote store; default: one beside the broker's data (tiering)", null);
    private static readonly Option<string?> BlobConnection = One<string?>("--blob-connection", "connection string of a blob storage as the remote store, where a container is made and deleted (tiering)", null);
    private static readonly Option<int?> FetchLimit = One<int?>("--fetch-limit", "remote.log.manager.fetch.max.bytes.per.second in megabytes (tiering)", null);
    private static readonly Option<int> KeyMegabytes = One("--key-megabytes", "log.cleaner.dedupe.buffer.size (compaction)", 128);
    private static readonly Option<string?> Target = One<string?>("--target", "HOST:PORT of a running OrleansLog, instead of starting one", null);
    private static readonly Option<int?> TargetPid = One<int?>("--target-pid", "its process id, for its CPU time", null);
    private static readonly Option<int> HttpPort = One("--http-port", "the HTTP port of OrleansLog", 29_080);
    private static readonly Option<string?> Silo = One<string?>("--silo", "path of OrleansLog.Silo.dll; default: as built beside this program", null);
    private static readonly Option<string?> Data = One<string?>("--data", "where brokers keep their data; default: a temporary folder", null);
    private static readonly Option<int> FirstPort = One("--first-port", "brokers listen from here on, ten ports apart", 29_100);

    public static Command Program(string name, string description, Action<BenchmarkOptions> run)
    {
        var command = new Command(name, description)
        {
            Peers, Rounds, Seconds, Durability, RecordBytes, BatchBytes, Window, FetchBytes, Connections, Rates, Gigabytes, KeyMegabytes,
            LocalGigabytes, Store, BlobConnection, FetchLimit,
            Target, TargetPid, HttpPort, Silo, Data, FirstPort,
        };
        command.SetAction(result => RunInFolder(Bind(result), run));
        return command;
    }

    private static int RunInFolder(BenchmarkOptions options, Action<BenchmarkOptions> run)
    {
        var folder = Path.Combine(options.DataDirectory, "olog-bench-" + Environment.ProcessId);
        Directory.CreateDirectory(folder);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Abandon);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Abandon);
        Console.WriteLine($"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, client on {RuntimeInformation.FrameworkDescription}");
        try
        {
            run(options with { DataDirectory = folder });
            return 0;
        }
        catch (OperationCanceledException)
        {
            const int Interrupted = 130;
            return Interrupted;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The brokers go first, which ends the round; what it leaves is then cleared away as at any end.
    private static void Abandon(PosixSignalContext context)
    {
        context.Cancel = true;
        RunningBroker.Abandon();
    }

    private static BenchmarkOptions Bind(ParseResult result) => new()
    {
        Peers = result.GetValue(Peers)!,
        Rounds = result.GetValue(Rounds),
        Seconds = result.GetValue(Seconds),
        Durabilities = [.. result.GetValue(Durability)!.Select(name => name == "flush" ? Benchmarks.Peers.Durability.Flush : Benchmarks.Peers.Durability.NoFlush)],
        RecordBytes = result.GetValue(RecordBytes)!,
        BatchBytes = result.GetValue(BatchBytes),
        WindowRequests = result.GetValue(Window),
        FetchBytes = result.GetValue(FetchBytes),
        Connections = result.GetValue(Connections),
        RecordsPerSecond = result.GetValue(Rates)!,
        Gigabytes = result.GetValue(Gigabytes),
        KeyMegabytes = result.GetValue(KeyMegabytes),
        LocalGigabytes = result.GetValue(LocalGigabytes),
        Store = result.GetValue(Store),
        BlobConnection = result.GetValue(BlobConnection),
        FetchLimitMegabytes = result.GetValue(FetchLimit),
        Target = result.GetValue(Target),
        TargetProcessId = result.GetValue(TargetPid),
        HttpPort = result.GetValue(HttpPort),
        SiloAssembly = result.GetValue(Silo),
        DataDirectory = result.GetValue(Data) ?? Path.GetTempPath(),
        FirstPort = result.GetValue(FirstPort),
    };

    private static Option<T> One<T>(string name, string description, T fallback) =>
        new(name) { Description = description, DefaultValueFactory = _ => fallback };

    // Separated by commas or blanks: --peers kafka,nats as well as --peers kafka nats.
    private static Option<T[]> List<T>(string name, string description, T[] fallback) => new(name)
    {
        Description = $"{description} (separated by commas)",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => fallback,
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries))
            .Select(text => (T)Convert.ChangeType(text, typeof(T), System.Globalization.CultureInfo.InvariantCulture))],
    };
}
