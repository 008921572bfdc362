using System.Diagnostics;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Clients.Librdkafka;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>One librdkafka consumer that decodes every record of a backlog, against us and against Apache Kafka.</summary>
internal static class PerRecordConsume
{
    private const long BacklogBytes = 512 << 20;

    public static void Run(BenchmarkOptions options)
    {
        var version = Native.Version();
        using var arena = Arena.Open(options, Durability.NoFlush, onlyKafka: true);
        foreach (var recordBytes in options.RecordBytes)
        {
            var backlogs = arena.Brokers.ToDictionary(broker => broker, broker => Fill(options, broker, recordBytes));
            var measurements = Rounds.Interleave(options, arena, broker => Round(broker, backlogs[broker], options.Seconds));
            foreach (var backlog in backlogs.Values)
            {
                backlog.Topics.Dispose();
            }

            ThroughputReport.Print(
                $"consume: librdkafka {version}, {recordBytes} B records, a backlog in memory, one partition", recordBytes, measurements);
        }
    }

    private static Backlog Fill(BenchmarkOptions options, RunningBroker broker, int recordBytes)
    {
        var topics = new RoundTopics(broker, Durability.NoFlush, 1);
        return new Backlog(topics, RawProduce.ProduceCount(broker, topics[0], options, recordBytes, BacklogBytes / recordBytes));
    }

    // From the first records on, for a round's time or to the end of the backlog, whichever comes first.
    private static Measurement Round(RunningBroker broker, Backlog backlog, double seconds)
    {
        using var consumer = new RdKafkaConsumer(broker.EndPoint, backlog.Topics[0]);
        long start = Await(consumer);
        return Stopwatched.Run(broker, () =>
        {
            var watch = Stopwatch.StartNew();
            long received = 0;
            while (start + received < backlog.Records && watch.Elapsed.TotalSeconds < seconds)
            {
                received += consumer.Receive();
            }

            return received;
        });
    }

    // Until it has connected and learnt where the partition is.
    private static int Await(RdKafkaConsumer consumer)
    {
        for (var tries = 0; tries < 30; tries++)
        {
            var received = consumer.Receive();
            if (received > 0)
            {
                return received;
            }
        }

        throw new BrokerException("librdkafka received nothing for 30 s");
    }

    private sealed record Backlog(RoundTopics Topics, long Records);
}
