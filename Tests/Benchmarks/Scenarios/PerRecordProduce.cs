using System.Diagnostics;
using OrleansLog.Benchmarks.Clients.Librdkafka;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>One librdkafka producer, one call and one delivery report a record, against us and against Apache Kafka.</summary>
internal static class PerRecordProduce
{
    private const int RecordsBetweenLooksAtTheClock = 256;

    public static void Run(BenchmarkOptions options)
    {
        var version = Native.Version();
        foreach (var durability in options.Durabilities)
        {
            using var arena = Arena.Open(options, durability, onlyKafka: true);
            foreach (var recordBytes in options.RecordBytes)
            {
                var measurements = Rounds.Interleave(options, arena, broker => Round(options, broker, durability, recordBytes));
                ThroughputReport.Print(
                    $"produce: librdkafka {version}, {recordBytes} B records, {durability.Name()}, one partition, acks=1",
                    recordBytes,
                    measurements);
            }
        }
    }

    private static Measurement Round(BenchmarkOptions options, RunningBroker broker, Durability durability, int recordBytes)
    {
        using var topics = new RoundTopics(broker, durability, 1);
        using var producer = new RdKafkaProducer(broker.EndPoint, topics[0], recordBytes);
        producer.Produce();
        producer.Flush(); // connected, and the topic's metadata known
        return Stopwatched.Run(broker, () => ProduceFor(producer, options.Seconds));
    }

    private static long ProduceFor(RdKafkaProducer producer, double seconds)
    {
        var before = producer.Delivered;
        var end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
        {
            for (var i = 0; i < RecordsBetweenLooksAtTheClock; i++)
            {
                producer.Produce();
            }
        }

        producer.Flush();
        return producer.Delivered - before;
    }
}
