using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// Bytes that our broker allocates for a request, from its own counter: many produce and fetch requests with one record
/// and with many. What a record costs is the slope between the two.
/// </summary>
internal static class Allocations
{
    private const int Requests = 20_000;
    private const int RecordBytes = 100;
    private static readonly int[] RecordsPerRequest = [1, 100];

    public static void Run(BenchmarkOptions options)
    {
        using var metrics = new Metrics(options.HttpPort);
        try
        {
            using var broker = new OrleansLogBroker(options).Start(Path.Combine(options.DataDirectory, "allocations"), options.FirstPort, Durability.NoFlush);
            if (Allocated(metrics) is null)
            {
                Console.WriteLine("the broker's /metrics has no counter of allocated bytes (a name with 'alloc' and '_total')");
                return;
            }

            foreach (var durability in options.Durabilities)
            {
                Print(durability, [.. RecordsPerRequest.Select(records => Measure(broker, metrics, durability, records))]);
            }
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static (double Produce, double Fetch) Measure(RunningBroker broker, Metrics metrics, Durability durability, int records)
    {
        using var topics = new RoundTopics(broker, durability, 1);
        var shape = new ProducerShape(RecordBytes, records, 16);
        Produce(broker, topics[0], shape, Requests / 10);
        var produce = AllocatedBy(metrics, () => Produce(broker, topics[0], shape, Requests)) / Requests;
        Fetch(broker, topics[0], Requests / 10, records);
        var fetch = AllocatedBy(metrics, () => Fetch(broker, topics[0], Requests, records)) / Requests;
        return (produce, fetch);
    }

    // Reading the counter allocates too: what a reading costs is taken off.
    private static double AllocatedBy(Metrics metrics, Action work)
    {
        var first = Allocated(metrics);
        var before = Allocated(metrics);
        work();
        return Allocated(metrics) - before - (before - first) ?? double.NaN;
    }

    private static void Produce(RunningBroker broker, string topic, ProducerShape shape, int requests)
    {
        using var link = broker.Client.OpenProducer(topic, shape);
        for (var i = 0; i < requests; i++)
        {
            link.SendBatch();
        }

        link.AwaitAcknowledgements();
    }

    // Small answers, so that there are many: a fetch of a byte more than nothing brings one whole batch.
    private static void Fetch(RunningBroker broker, string topic, int requests, int recordsPerBatch)
    {
        using var link = broker.Client.OpenConsumer(topic, fetchBytes: 1);
        for (var i = 0; i < requests; i++)
        {
            if (link.Receive(onStamp: null) != recordsPerBatch)
            {
                throw new BrokerException("a fetch of one byte did not bring exactly one batch");
            }
        }
    }

    private static double? Allocated(Metrics metrics) => metrics.Sum("alloc", "_total");

    private static void Print(Durability durability, (double Produce, double Fetch)[] bytes)
    {
        var table = new Table($"allocated in the broker, {durability.Name()}", "bytes/produce", "bytes/fetch");
        for (var i = 0; i < bytes.Length; i++)
        {
            table.Add($"{RecordsPerRequest[i]} records of {RecordBytes} B", Text.Fixed(bytes[i].Produce, 0), Text.Fixed(bytes[i].Fetch, 0));
        }

        var more = RecordsPerRequest[1] - RecordsPerRequest[0];
        table.Add("bytes for each further record", Text.Fixed((bytes[1].Produce - bytes[0].Produce) / more, 2), Text.Fixed((bytes[1].Fetch - bytes[0].Fetch) / more, 2));
        table.Print(Console.Out);
    }
}
