using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;
using OrleansLog.Benchmarks.Scenarios;

namespace OrleansLog.Benchmarks.Grains;

/// <summary>
/// What it costs a broker to live on a silo: batches made beforehand, written to and read from the Kafka endpoint of a silo
/// and that of the embedded engine, in turns. Both run all the while; one of them is idle.
/// </summary>
internal static class OnASilo
{
    private const int PortsApart = 10;

    public static void Run(BenchmarkOptions options)
    {
        try
        {
            using var embedded = Start(options, "embedded", 0);
            using var silo = Start(options, "orleans", 1);
            foreach (var durability in options.Durabilities)
            {
                foreach (var recordBytes in options.RecordBytes)
                {
                    Compare(options, [embedded, silo], durability, recordBytes);
                }
            }
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static RunningBroker Start(BenchmarkOptions options, string engine, int place)
    {
        var (broker, _, _) = new OrleansLogBroker(options with { HttpPort = options.HttpPort + place })
            .StartProcess(Path.Combine(options.DataDirectory, engine), options.FirstPort + (place * PortsApart), 1, "--engine", engine);
        return new RunningBroker(broker.Dispose)
        {
            Name = engine,
            Version = broker.Version,
            EndPoint = broker.EndPoint,
            Client = broker.Client,
            ProcessIds = broker.ProcessIds,
        };
    }

    private static void Compare(BenchmarkOptions options, RunningBroker[] brokers, Durability durability, int recordBytes)
    {
        var (written, read) = (new List<Measurement>(), new List<Measurement>());
        // The first round warms up, and is dropped.
        for (var round = -1; round < options.Rounds; round++)
        {
            foreach (var broker in brokers)
            {
                using var topics = new RoundTopics(broker, durability, 1);
                var topic = topics[0];
                var produced = Stopwatched.Run(broker, () => RawProduce.ProduceFor(broker, topic, options, recordBytes, TimeSpan.FromSeconds(options.Seconds)));
                var consumed = Stopwatched.Run(broker, () => RawConsume.ReadFor(broker, topic, options, produced.Records));
                if (round >= 0)
                {
                    written.Add(produced);
                    read.Add(consumed);
                }
            }
        }

        Report("produce", written);
        Report("consume", read);

        void Report(string what, List<Measurement> measurements)
        {
            ThroughputReport.Print($"on-a-silo, {what}: {recordBytes} B records in batches of {options.BatchRecords(recordBytes)}, {durability.Name()}", recordBytes, measurements);
            Console.WriteLine($"  on a silo / embedded = {Text.Fixed(MedianRate(measurements, "orleans") / MedianRate(measurements, "embedded"), 2)}\n");
        }
    }

    private static double MedianRate(List<Measurement> measurements, string engine) =>
        Statistics.Median(measurements.Where(m => m.Broker == engine).Select(m => m.RecordsPerSecond));
}
