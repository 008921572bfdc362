using System.Diagnostics;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>Batches made beforehand, sent as fast as the broker acknowledges them: the broker alone is the limit.</summary>
internal static class RawProduce
{
    public static void Run(BenchmarkOptions options)
    {
        foreach (var durability in options.Durabilities)
        {
            using var arena = Arena.Open(options, durability);
            foreach (var recordBytes in options.RecordBytes)
            {
                var measurements = Rounds.Interleave(options, arena, broker => Round(options, broker, durability, recordBytes));
                ThroughputReport.Print(
                    $"raw-produce: {recordBytes} B records in batches of {options.BatchRecords(recordBytes)}, {durability.Name()}, "
                    + $"{options.Connections} connection(s), {options.WindowRequests} requests in flight, acks=1",
                    recordBytes,
                    measurements);
            }
        }
    }

    private static Measurement Round(BenchmarkOptions options, RunningBroker broker, Durability durability, int recordBytes)
    {
        using var topics = new RoundTopics(broker, durability, options.Connections);
        return Stopwatched.Run(broker, () => Stopwatched.InParallel(
            options.Connections,
            i => ProduceFor(broker, topics[i], options, recordBytes, TimeSpan.FromSeconds(options.Seconds))));
    }

    /// <summary>Produces for <paramref name="time"/>, then waits for what is in flight.</summary>
    /// <returns>Records acknowledged.</returns>
    public static long ProduceFor(RunningBroker broker, string topic, BenchmarkOptions options, int recordBytes, TimeSpan time)
    {
        var shape = new ProducerShape(recordBytes, options.BatchRecords(recordBytes), options.WindowRequests);
        using var link = broker.Client.OpenProducer(topic, shape);
        var end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
        {
            link.SendBatch();
        }

        link.AwaitAcknowledgements();
        return link.Acknowledged;
    }

    /// <summary>Produces until <paramref name="records"/> records have been acknowledged.</summary>
    public static long ProduceCount(RunningBroker broker, string topic, BenchmarkOptions options, int recordBytes, long records)
    {
        var shape = new ProducerShape(recordBytes, options.BatchRecords(recordBytes), options.WindowRequests);
        using var link = broker.Client.OpenProducer(topic, shape);
        for (long sent = 0; sent < records;)
        {
            sent += link.SendBatch();
        }

        link.AwaitAcknowledgements();
        return link.Acknowledged;
    }
}
