using System.Diagnostics;
using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>
/// Other projects' clients copy records from topic to topic in transactions, while they are killed, and the leaders and
/// coordinators under them: a reader of committed records finds each record once.
/// </summary>
public sealed class Transactions(ITestOutputHelper output)
{
    private const int Brokers = 3;
    private const int Partitions = 3;
    private const int Records = 3000;
    private const int ProgressTransactions = 5;

    [Fact]
    public async Task Librdkafka_copies_each_record_once_while_clients_and_brokers_are_killed()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        await PlayAsync((bootstrap, id, log) => Copier.Start(
            Tool.SystemPython, [Tool.Script("transactions_confluent.py"), "transform", bootstrap, "in", "out", id, log], log));
    }

    [Fact]
    public async Task Kafkajs_copies_each_record_once_while_clients_and_brokers_are_killed()
    {
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        var modules = await KafkaJs.NeedAsync();
        await PlayAsync((bootstrap, id, log) => Copier.Start(
            "node", [Tool.Script("transactions_kafkajs.js"), bootstrap, "in", "out", id, log], log, ("NODE_PATH", modules)));
    }

    private async Task PlayAsync(Func<string, string, string, Copier> start)
    {
        var files = Directory.CreateTempSubdirectory("orleanslog-transactions-");
        await using var cluster = await BrokerProcess.StartAsync(Brokers, "--config", "group.initial.rebalance.delay.ms=0");
        foreach (var topic in (string[])["in", "out"])
            await Tool.RunOlogAsync(["topics", "create", topic, "--partitions", $"{Partitions}", "--replication-factor", $"{Brokers}",
                "--config", "min.insync.replicas=2", "--bootstrap", cluster.Bootstrap]);
        await Tool.RunPythonAsync("transactions_confluent.py", "fill", cluster.Bootstrap, "in", $"{Records}", $"{Partitions}");
        var copiers = Enumerable.Range(0, 2).Select(i => start(cluster.Bootstrap, $"copier-{i}", Path.Combine(files.FullName, $"{i}"))).ToArray();
        try
        {
            var clock = Stopwatch.StartNew();
            for (var victim = 0; victim < Brokers; victim++)
            {
                await ProgressAsync(copiers);
                await cluster.ChangeBrokerAsync(victim, "kill");
                await ProgressAsync(copiers);
                await cluster.ChangeBrokerAsync(victim, "start");
                await RestoredAsync(cluster);
                copiers[victim % copiers.Length].KillAndRestart();
            }
            await Tool.RunPythonAsync("transactions_confluent.py", "check", cluster.Bootstrap, "out", $"{Records}");
            output.WriteLine($"{Records} records in {copiers.Sum(copier => copier.Transactions)} transactions, {clock.Elapsed.TotalSeconds:F0} s.");
        }
        finally
        {
            foreach (var copier in copiers)
                output.WriteLine(copier.End());
            files.Delete(recursive: true);
        }
    }

    // What has been copied already cannot be waited for.
    private static Task ProgressAsync(Copier[] copiers)
    {
        var wanted = copiers.Sum(copier => copier.Transactions) + ProgressTransactions;
        return UntilAsync(() => Task.FromResult(copiers.Sum(copier => copier.Transactions) >= wanted || copiers.Sum(copier => copier.Records) >= Records));
    }

    private static Task RestoredAsync(BrokerProcess cluster) =>
        UntilAsync(async () => await cluster.MetricAsync("orleanslog_partitions_under_replicated") == 0);

    // What other processes do can only be looked at now and then.
    private static async Task UntilAsync(Func<Task<bool>> isReached)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await isReached())
            await timer.WaitForNextTickAsync(patience.Token);
    }

    /// <summary>A script in a process of its own that notes each transaction it has committed.</summary>
    private sealed class Copier(Func<Process> launch, string log)
    {
        private Process _process = launch();

        public int Transactions => Lines().Length;

        public int Records => Lines().Sum(int.Parse);

        public static Copier Start(string program, string[] arguments, string log, params (string Name, string Value)[] environment) => new(
            () =>
            {
                var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
                foreach (var (name, value) in environment)
                    start.Environment[name] = value;
                return Process.Start(start)!;
            },
            log);

        public void KillAndRestart()
        {
            End();
            _process = launch();
        }

        public string End()
        {
            _process.Kill();
            var error = _process.StandardError.ReadToEnd();
            _process.WaitForExit();
            _process.Dispose();
            return error;
        }

        private string[] Lines() => File.Exists(log) ? File.ReadAllLines(log) : [];
    }
}
