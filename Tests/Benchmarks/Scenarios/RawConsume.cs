using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// A backlog that is in the page cache, read by clients that count records and look at none, as one partition's reader
/// would: one request at a time, or whatever flow control the protocol has.
/// </summary>
internal static class RawConsume
{
    public static void Run(BenchmarkOptions options)
    {
        // What a record's durability was plays no part in reading it.
        const Durability durability = Durability.NoFlush;
        using var arena = Arena.Open(options, durability);
        foreach (var recordBytes in options.RecordBytes)
        {
            var backlogs = new Dictionary<string, Backlog>();
            foreach (var broker in arena.Brokers)
            {
                backlogs[broker.Name] = new Backlog(options, broker, durability, recordBytes);
            }

            var measurements = Rounds.Interleave(options, arena, broker => backlogs[broker.Name].Read());
            foreach (var backlog in backlogs.Values)
            {
                backlog.Dispose();
            }

            ThroughputReport.Print(
                $"raw-consume: {recordBytes} B records, a backlog in memory, {options.Connections} connection(s), "
                + $"up to {options.FetchBytes >> 10} KiB a request",
                recordBytes,
                measurements);
        }
    }

    /// <summary>
    /// Reads a topic's records again and again from the start until the time is over: a round is long enough whatever the
    /// backlog's size.
    /// </summary>
    /// <returns>How many records it received.</returns>
    public static long ReadFor(RunningBroker broker, string topic, BenchmarkOptions options, long backlog)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        long total = 0;
        do
        {
            using var link = broker.Client.OpenConsumer(topic, options.FetchBytes);
            for (long records = 0; records < backlog;)
            {
                var received = link.Receive(onStamp: null);
                records += received;
                total += received;
            }
        }
        while (watch.Elapsed.TotalSeconds < options.Seconds);
        return total;
    }

    /// <summary>Records written once and read in every round.</summary>
    private sealed class Backlog : IDisposable
    {
        private readonly BenchmarkOptions _options;
        private readonly RunningBroker _broker;
        private readonly RoundTopics _topics;
        private readonly long[] _records;

        public Backlog(BenchmarkOptions options, RunningBroker broker, Durability durability, int recordBytes)
        {
            (_options, _broker, _records) = (options, broker, new long[options.Connections]);
            _topics = new RoundTopics(broker, durability, options.Connections);
            for (var i = 0; i < _records.Length; i++)
            {
                _records[i] = Fill(i, recordBytes);
            }
        }

        public Measurement Read() => Stopwatched.Run(_broker, () => Stopwatched.InParallel(_options.Connections, ReadOne));

        public void Dispose() => _topics.Dispose();

        // For half of a round's time, but never more than a gigabyte.
        private long Fill(int index, int recordBytes)
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            var most = (1L << 30) / recordBytes / _options.Connections;
            var step = Math.Max(1, most / 64);
            long records = 0;
            while (records < most && watch.Elapsed.TotalSeconds < Math.Max(1, _options.Seconds / 2))
            {
                records += RawProduce.ProduceCount(_broker, _topics[index], _options, recordBytes, step);
            }

            return records;
        }

        private long ReadOne(int index) => ReadFor(_broker, _topics[index], _options, _records[index]);
    }
}
