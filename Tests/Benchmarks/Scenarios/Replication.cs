using OrleansLog.Benchmarks.Clients.Kafka;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// What replication costs: batches made beforehand, written with acks=all to a partition with one replica and to one with
/// three, in turns, on three brokers of ours in one process, or on a cluster that runs already (<c>--target</c>, its broker
/// 0). All replicas share this machine's cores and disk.
/// </summary>
internal static class Replication
{
    private static readonly int[][] ReplicaSets = [[0], [0, 1, 2]];

    public static void Run(BenchmarkOptions options)
    {
        try
        {
            var ours = new OrleansLogBroker(options);
            var directory = Path.Combine(options.DataDirectory, "replication");
            using (var cluster = options.Target is null ? ours.StartProcess(directory, options.FirstPort, brokers: 3).Broker : ours.Start(directory, options.FirstPort, Durability.NoFlush))
            {
                foreach (var durability in options.Durabilities)
                {
                    foreach (var recordBytes in options.RecordBytes)
                    {
                        Compare(options, cluster, durability, recordBytes);
                    }
                }
            }
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static void Compare(BenchmarkOptions options, RunningBroker cluster, Durability durability, int recordBytes)
    {
        var measurements = new List<Measurement>();
        // The first round warms up, and is dropped.
        for (var round = -1; round < options.Rounds; round++)
        {
            foreach (var replicas in ReplicaSets)
            {
                var measured = Round(options, cluster, durability, recordBytes, replicas);
                if (round >= 0)
                {
                    measurements.Add(measured);
                }
            }
        }

        ThroughputReport.Print(
            $"replication: {recordBytes} B records in batches of {options.BatchRecords(recordBytes)}, {durability.Name()}, "
            + $"{options.WindowRequests} requests in flight, acks=all",
            recordBytes,
            measurements);
        Console.WriteLine($"  three replicas / one = {Text.Fixed(MedianRate(measurements, 3) / MedianRate(measurements, 1), 2)}\n");
    }

    private static Measurement Round(BenchmarkOptions options, RunningBroker cluster, Durability durability, int recordBytes, int[] replicas)
    {
        using var broker = new RunningBroker(() => { })
        {
            Name = NameOf(replicas.Length),
            Version = cluster.Version,
            EndPoint = cluster.EndPoint,
            Client = new KafkaClient(cluster.EndPoint, FlushConfig.OrleansLog, replicas),
            ProcessIds = cluster.ProcessIds,
        };
        using var topics = new RoundTopics(broker, durability, 1);
        return Stopwatched.Run(broker, () => RawProduce.ProduceFor(broker, topics[0], options, recordBytes, TimeSpan.FromSeconds(options.Seconds)));
    }

    private static string NameOf(int replicas) => replicas == 1 ? "1 replica" : $"{replicas} replicas";

    private static double MedianRate(List<Measurement> measurements, int replicas) =>
        Statistics.Median(measurements.Where(m => m.Broker == NameOf(replicas)).Select(m => m.RecordsPerSecond));
}
