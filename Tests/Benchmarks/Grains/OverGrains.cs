using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Hosting;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;
using OrleansLog.Benchmarks.Scenarios;
using OrleansLog.Client.Transport;

namespace OrleansLog.Benchmarks.Grains;

/// <summary>
/// Grain calls against the Kafka endpoint of the same silo, in turns: batches made beforehand are produced, and a backlog in
/// memory is read.
/// </summary>
internal static class OverGrains
{
    private const string Endpoint = "kafka endpoint", Grains = "grains";
    private const int RecordBytes = 1024;
    private const int PortsToSilo = 1, PortsToGateway = 2;
    // With its header a batch stays below the default of max.message.bytes, which is 1 MiB.
    private static readonly int[] BatchBytes = [64 << 10, 1000 << 10];

    public static void Run(BenchmarkOptions options)
    {
        var (siloPort, gatewayPort) = (options.FirstPort + PortsToSilo, options.FirstPort + PortsToGateway);
        string[] arguments = ["--engine", "orleans", "--silo-port", $"{siloPort}", "--gateway-port", $"{gatewayPort}"];
        try
        {
            var (silo, _, _) = new OrleansLogBroker(options).StartProcess(Path.Combine(options.DataDirectory, "grains"), options.FirstPort, arguments: arguments);
            using (silo)
            using (var application = Connect(gatewayPort))
            {
                var transport = application.Services.GetRequiredService<IClusterTransport>();
                using var grains = new RunningBroker(() => { })
                {
                    Name = Grains,
                    Version = silo.Version,
                    EndPoint = silo.EndPoint,
                    Client = new GrainClient(transport, silo.Client),
                    ProcessIds = silo.ProcessIds,
                };
                using var endpoint = new RunningBroker(() => { })
                {
                    Name = Endpoint,
                    Version = silo.Version,
                    EndPoint = silo.EndPoint,
                    Client = silo.Client,
                    ProcessIds = silo.ProcessIds,
                };
                foreach (var batchBytes in BatchBytes)
                {
                    Compare(options with { BatchBytes = batchBytes }, [endpoint, grains]);
                }
            }
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static void Compare(BenchmarkOptions options, RunningBroker[] ways)
    {
        foreach (var durability in options.Durabilities)
        {
            Report(options, $"produce, {durability.Name()}", Interleave(options, ways, way => Produce(options, way, durability)));
        }

        using var topics = new RoundTopics(ways[0], Durability.NoFlush, 1);
        var records = RawProduce.ProduceFor(ways[0], topics[0], options, RecordBytes, TimeSpan.FromSeconds(1));
        Report(options, "fetch", Interleave(options, ways, way => Stopwatched.Run(way, () => Read(options, way, topics[0], records))));
    }

    private static List<Measurement> Interleave(BenchmarkOptions options, RunningBroker[] ways, Func<RunningBroker, Measurement> round)
    {
        var measurements = new List<Measurement>();
        // The first round warms up, and is dropped.
        for (var number = -1; number < options.Rounds; number++)
        {
            foreach (var way in ways)
            {
                var measured = round(way);
                if (number >= 0)
                {
                    measurements.Add(measured);
                }
            }
        }

        return measurements;
    }

    private static Measurement Produce(BenchmarkOptions options, RunningBroker way, Durability durability)
    {
        using var topics = new RoundTopics(way, durability, 1);
        return Stopwatched.Run(way, () => RawProduce.ProduceFor(way, topics[0], options, RecordBytes, TimeSpan.FromSeconds(options.Seconds)));
    }

    private static long Read(BenchmarkOptions options, RunningBroker way, string topic, long records)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        long total = 0;
        do
        {
            using var link = way.Client.OpenConsumer(topic, options.FetchBytes);
            for (long received = 0; received < records;)
            {
                received += link.Receive(onStamp: null);
            }

            total += records;
        }
        while (watch.Elapsed.TotalSeconds < options.Seconds);
        return total;
    }

    private static void Report(BenchmarkOptions options, string what, List<Measurement> measurements)
    {
        ThroughputReport.Print(
            $"{what}: batches of {options.BatchBytes >> 10} KiB, {options.WindowRequests} produce requests in flight or one fetch of {options.FetchBytes >> 10} KiB",
            RecordBytes,
            measurements);
        Console.WriteLine($"  grains / kafka endpoint = {Text.Fixed(MedianRate(measurements, Grains) / MedianRate(measurements, Endpoint), 2)}\n");
    }

    private static double MedianRate(List<Measurement> measurements, string way) =>
        Statistics.Median(measurements.Where(m => m.Broker == way).Select(m => m.RecordsPerSecond));

    private static IHost Connect(int gatewayPort)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.UseOrleansClient(orleans => orleans
            .UseStaticClustering(new IPEndPoint(IPAddress.Loopback, gatewayPort))
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("orleanslog", "orleanslog"))
            .AddOrleansLogClient());
        var host = builder.Build();
        host.Start();
        return host;
    }
}
