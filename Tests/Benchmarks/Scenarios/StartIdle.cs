using System.Diagnostics;
using OrleansLog.Benchmarks.Clients.Kafka;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// Our broker alone: how soon it serves, what it weighs with 100 idle topics, what it writes and flushes for what it is
/// sent, and how soon it serves again after a kill -9 with gigabytes of segments.
/// </summary>
internal static class StartIdle
{
    private const int IdleTopics = 100;
    private const int BacklogTopics = 8;
    private const int RecordBytes = 1024;

    public static void Run(BenchmarkOptions options)
    {
        try
        {
            var contestant = new OrleansLogBroker(options);
            StartAndIdle(options, contestant);
            WriteAndFlush(options, contestant);
            CrashAndRecover(options, contestant);
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static void StartAndIdle(BenchmarkOptions options, OrleansLogBroker contestant)
    {
        var times = new List<double>();
        for (var round = 0; round < options.Rounds; round++)
        {
            var (broker, process, time) = contestant.StartProcess(Path.Combine(options.DataDirectory, $"start-{round}"), options.FirstPort);
            using (broker)
            {
                times.Add(time.TotalSeconds);
                if (round == options.Rounds - 1)
                {
                    PrintIdle(options, broker, process);
                }
            }
        }

        Console.WriteLine($"start to serving: {Text.Fixed(Statistics.Median(times), 2)} s (rounds: {string.Join(' ', times.Select(t => Text.Fixed(t, 2)))})");
    }

    private static void PrintIdle(BenchmarkOptions options, RunningBroker broker, Process process)
    {
        var empty = ProcessUsage.Of(process.Id);
        for (var i = 0; i < IdleTopics; i++)
        {
            broker.Client.CreateTopic($"idle-{i}", Durability.Flush);
        }

        Pause(options.Seconds / 2);
        var before = ProcessUsage.Of(process.Id);
        Pause(options.Seconds);
        var after = ProcessUsage.Of(process.Id);
        Console.WriteLine(
            $"idle: {Text.Megabytes(empty.ResidentBytes)} resident without topics, {Text.Megabytes(after.ResidentBytes)} with {IdleTopics}, "
            + $"{Text.Fixed((after.CpuSeconds - before.CpuSeconds) / options.Seconds * 100, 1)} % of a core");
    }

    // With the default durability, as raw-produce does.
    private static void WriteAndFlush(BenchmarkOptions options, OrleansLogBroker contestant)
    {
        var (broker, process, _) = contestant.StartProcess(Path.Combine(options.DataDirectory, "write"), options.FirstPort);
        using var metrics = new Metrics(options.HttpPort);
        using (broker)
        {
            foreach (var recordBytes in options.RecordBytes)
            {
                using var topics = new RoundTopics(broker, Durability.Flush, 1);
                var flushes = metrics.Sum("flush_duration", "_count");
                var written = ProcessUsage.Of(process.Id).WrittenBytes;
                var records = RawProduce.ProduceFor(broker, topics[0], options, recordBytes, TimeSpan.FromSeconds(options.Seconds));
                written = ProcessUsage.Of(process.Id).WrittenBytes - written;
                flushes = metrics.Sum("flush_duration", "_count") - flushes;
                Console.WriteLine(
                    $"written, flush, {recordBytes} B in batches of {options.BatchRecords(recordBytes)}: "
                    + $"{Text.Fixed(written / (double)(records * recordBytes), 3)} bytes to disk per byte of values, "
                    + $"{Text.Fixed(1000 * (flushes ?? double.NaN) / records, 3)} flushes per 1,000 records");
            }
        }
    }

    private static void CrashAndRecover(BenchmarkOptions options, OrleansLogBroker contestant)
    {
        var data = Path.Combine(options.DataDirectory, "crash");
        var (doomed, process, _) = contestant.StartProcess(data, options.FirstPort);
        long[] acknowledged;
        using (doomed)
        {
            acknowledged = Fill(options, doomed);
            OrleansLogBroker.Crash(process);
        }

        var (broker, _, time) = contestant.StartProcess(data, options.FirstPort);
        var client = (KafkaClient)broker.Client;
        using (broker)
        {
            var watch = Stopwatch.StartNew();
            var lost = acknowledged.Select((count, i) => Math.Max(0, count - client.EndOffset($"crash-{i}"))).Sum();
            Console.WriteLine(
                $"recovery after kill -9 with {Text.Fixed(options.Gigabytes, 1)} GB in {BacklogTopics} topics: {Text.Fixed(time.TotalSeconds, 2)} s "
                + $"until it serves, {Text.Fixed((time + watch.Elapsed).TotalSeconds, 2)} s until all end offsets are answered; acknowledged records lost: {lost}");
        }
    }

    // Returns the records acknowledged in each topic.
    private static long[] Fill(BenchmarkOptions options, RunningBroker broker)
    {
        var acknowledged = new long[BacklogTopics];
        var records = (long)(options.Gigabytes * 1e9) / RecordBytes / BacklogTopics;
        for (var i = 0; i < BacklogTopics; i++)
        {
            broker.Client.CreateTopic($"crash-{i}", Durability.Flush);
            acknowledged[i] = RawProduce.ProduceCount(broker, $"crash-{i}", options, RecordBytes, records);
        }

        return acknowledged;
    }

    private static void Pause(double seconds)
    {
        var pacer = new Pacer(1 / seconds);
        Span<long> due = stackalloc long[1];
        pacer.TakeDue(due);
        pacer.TakeDue(due);
    }
}
