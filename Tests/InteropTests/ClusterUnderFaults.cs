using System.Diagnostics;
using System.Globalization;
using OrleansLog.InteropTests.Support;

namespace OrleansLog.InteropTests;

/// <summary>
/// Three brokers that are killed, paused and started again while other projects' clients write and read: nothing that
/// was acknowledged may be lost or moved, nothing read that is not in the log, and everything read at last.
/// <c>OLOG_INTEROP_ROUNDS</c> asks for more rounds of faults.
/// </summary>
public sealed class ClusterUnderFaults(ITestOutputHelper output)
{
    private const string Topic = "history";
    private const int Partitions = 3;
    private const int Brokers = 3;

    // What every producer gets acknowledged between two faults.
    private const int ProgressRecords = 30;

    private static readonly int Rounds =
        int.Parse(Environment.GetEnvironmentVariable("OLOG_INTEROP_ROUNDS") ?? "4", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Clients_of_three_projects_lose_nothing_while_brokers_come_and_go()
    {
        Tool.NeedKcat();
        Tool.NeedPython("confluent_kafka", "python3-confluent-kafka");
        Tool.NeedPython("kafka", "python3-kafka");
        var modules = await KafkaJs.NeedAsync();
        var files = Directory.CreateTempSubdirectory("orleanslog-history-");
        await using var cluster = await BrokerProcess.StartAsync(Brokers, "--config", "group.initial.rebalance.delay.ms=0");
        await Tool.RunOlogAsync(["topics", "create", Topic, "--partitions", $"{Partitions}", "--replication-factor", $"{Brokers}",
            "--config", "min.insync.replicas=2", "--bootstrap", cluster.Bootstrap]);
        string At(string name) => Path.Combine(files.FullName, name);
        Client[] producers =
        [
            Client.Start(Tool.SystemPython, Tool.Script("history_confluent.py"), "produce", cluster.Bootstrap, At("a1"), At("stop"), modules),
            Client.Start(Tool.SystemPython, Tool.Script("history_kafka_python.py"), "produce", cluster.Bootstrap, At("a2"), At("stop"), modules),
            Client.Start("node", Tool.Script("history_kafkajs.js"), "produce", cluster.Bootstrap, At("a3"), At("stop"), modules),
        ];
        Client[] consumers =
        [
            Client.Start(Tool.SystemPython, Tool.Script("history_confluent.py"), "consume", cluster.Bootstrap, At("r1"), At("end"), modules),
            Client.Start(Tool.SystemPython, Tool.Script("history_kafka_python.py"), "consume", cluster.Bootstrap, At("r2"), At("end"), modules),
            Client.Start("node", Tool.Script("history_kafkajs.js"), "consume", cluster.Bootstrap, At("r3"), At("end"), modules),
        ];
        try
        {
            await ProgressAsync(producers);
            var kills = new List<long>();
            for (var round = 0; round < Rounds; round++)
                await PlayAsync(cluster, producers, round, kills);
            File.WriteAllText(At("stop"), "");
            await Task.WhenAll(producers.Select(producer => producer.EndAsync()));
            var log = await ReadLogAsync(cluster);
            WriteWhole(At("end"), log.GroupBy(record => record.Partition).Select(records => $"{records.Key} {records.Max(record => record.Offset) + 1}"));
            await Task.WhenAll(consumers.Select(consumer => consumer.EndAsync()));

            var acknowledged = producers.Select(producer => producer.Lines().Select(Record.Parse).ToList()).ToList();
            Report(acknowledged, kills, log.Count);
            Check(log, acknowledged, [.. consumers.Select(consumer => consumer.Lines().Select(Record.Parse).ToList())]);
        }
        finally
        {
            foreach (var client in producers.Concat(consumers))
                client.Dispose();
            files.Delete(recursive: true);
        }
    }

    // One broker after the other; each is killed once, then paused once.
    private static async Task PlayAsync(BrokerProcess cluster, Client[] producers, int round, List<long> kills)
    {
        var victim = round % Brokers;
        if (round / Brokers % 2 == 0)
        {
            kills.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
            await cluster.ChangeBrokerAsync(victim, "kill");
            await ProgressAsync(producers);
            await cluster.ChangeBrokerAsync(victim, "start");
        }
        else
        {
            await cluster.ChangeBrokerAsync(victim, "pause");
            await Watch.UntilAsync(async () => await cluster.MetricAsync("orleanslog_partitions", $"broker=\"{victim}\"", isOfOthers: true) >= Partitions);
            await cluster.ChangeBrokerAsync(victim, "resume");
        }
        await Watch.UntilAsync(async () => await cluster.MetricAsync("orleanslog_partitions_under_replicated") == 0);
        await ProgressAsync(producers);
    }

    private static async Task ProgressAsync(Client[] producers)
    {
        var wanted = producers.Select(producer => producer.Lines().Length + ProgressRecords).ToArray();
        await Watch.UntilAsync(() => Task.FromResult(producers.Zip(wanted).All(each => each.First.Lines().Length >= each.Second)));
    }

    private static async Task<List<Record>> ReadLogAsync(BrokerProcess cluster)
    {
        var text = await Tool.RunAsync("kcat", ["-b", cluster.Bootstrap, "-C", "-t", Topic, "-o", "beginning", "-e", "-q", "-f", "%p %o %s\n"]);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Record.Parse)];
    }

    private static void WriteWhole(string path, IEnumerable<string> lines)
    {
        File.WriteAllLines(path + ".new", lines);
        File.Move(path + ".new", path);
    }

    private static void Check(List<Record> log, List<List<Record>> acknowledged, List<List<Record>> read)
    {
        var values = log.ToDictionary(record => (record.Partition, record.Offset), record => record.Value);
        foreach (var record in acknowledged.SelectMany(records => records))
            Assert.True(values.GetValueOrDefault((record.Partition, record.Offset)) == record.Value, $"Lost or changed after it was acknowledged: {record}");
        foreach (var record in read.SelectMany(records => records))
            Assert.True(values.GetValueOrDefault((record.Partition, record.Offset)) == record.Value, $"Read, but not in the log: {record}");
        foreach (var records in read)
            Assert.Empty(values.Keys.Except(records.Select(record => (record.Partition, record.Offset))));
        foreach (var sent in log.GroupBy(record => (record.Partition, record.Producer)))
        {
            // A retry may write a record twice; the first of each come in the order of sending.
            var firsts = sent.OrderBy(record => record.Offset).Select(record => record.Number).Distinct().ToList();
            Assert.Equal(firsts.Order(), firsts);
        }
    }

    private void Report(List<List<Record>> acknowledged, List<long> kills, int logCount)
    {
        var all = acknowledged.SelectMany(records => records).ToList();
        var gaps = kills.Select(kill => Enumerable.Range(0, Partitions).Max(partition =>
            all.Where(record => record.Partition == partition && record.AtMs > kill).Min(record => record.AtMs) - kill)).Order().ToList();
        output.WriteLine($"{all.Count} records acknowledged, {logCount} in the log, {Rounds} rounds.");
        output.WriteLine($"After a kill every partition took records again within {gaps[gaps.Count / 2]} ms (median; {gaps[0]} to {gaps[^1]}).");
    }

    private readonly record struct Record(int Partition, long Offset, string Value, long AtMs)
    {
        public string Producer => Value[..Value.LastIndexOf('-')];

        public int Number => int.Parse(Value[(Value.LastIndexOf('-') + 1)..], CultureInfo.InvariantCulture);

        public static Record Parse(string line)
        {
            var fields = line.Split(' ');
            return new(
                int.Parse(fields[0], CultureInfo.InvariantCulture), long.Parse(fields[1], CultureInfo.InvariantCulture), fields[2],
                fields.Length > 3 ? long.Parse(fields[3], CultureInfo.InvariantCulture) : 0);
        }
    }

    /// <summary>A script in a process of its own that writes down what happens to it.</summary>
    private sealed class Client(Process process, string path) : IDisposable
    {
        private readonly Task<string> _error = process.StandardError.ReadToEndAsync();

        public static Client Start(string program, string script, string action, string bootstrap, string path, string stop, string modules) => new(
            Process.Start(new ProcessStartInfo(program, [script, action, bootstrap, Topic, path, stop])
            {
                RedirectStandardError = true,
                Environment = { ["NODE_PATH"] = modules },
            })!,
            path);

        /// <summary>The whole lines that it has written.</summary>
        public string[] Lines() => Watch.Lines(path);

        public async Task EndAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{string.Join(' ', process.StartInfo.ArgumentList.Take(2))} did not end; it wrote {Lines().Length} lines, the last {Lines().LastOrDefault()}");
            }
            Assert.True(process.ExitCode == 0, $"{process.StartInfo.ArgumentList[0]} ended with {process.ExitCode}: {await _error}");
        }

        public void Dispose()
        {
            if (!process.HasExited)
                process.Kill();
            process.Dispose();
        }
    }
}
