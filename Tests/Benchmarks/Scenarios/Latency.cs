using System.Diagnostics;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// From the moment at which a record is due to the moment at which a consumer of the same process has it: 100 B records
/// at a fixed rate, each sent at once (no linger), a long-polling or pushed consumer.
/// </summary>
internal static class Latency
{
    private const int RecordBytes = 100;
    private const double WarmupSeconds = 1;

    // As many produce requests as Kafka's own producer keeps in flight; records that become due meanwhile share the next.
    private const int KafkaWindow = 5;
    private const int MessageWindow = 4096;
    private const int DueRecordsMax = 512;

    public static void Run(BenchmarkOptions options)
    {
        foreach (var durability in options.Durabilities)
        {
            using var arena = Arena.Open(options, durability);
            MachineFloor.Print(options.DataDirectory);
            foreach (var rate in options.RecordsPerSecond)
            {
                var results = Rounds.Interleave(options, arena, broker => Round(options, broker, durability, rate));
                LatencyReport.Print($"latency: {rate} records/s of {RecordBytes} B, {durability.Name()}, produce to consume", results);
            }
        }
    }

    private static LatencyResult Round(BenchmarkOptions options, RunningBroker broker, Durability durability, int rate)
    {
        using var topics = new RoundTopics(broker, durability, 1);
        var total = (int)((options.Seconds + WarmupSeconds) * rate);
        using var producer = broker.Client.OpenProducer(topics[0], new ProducerShape(RecordBytes, 1, broker.SpeaksKafka ? KafkaWindow : MessageWindow));
        producer.Send([0]);
        producer.AwaitAcknowledgements();
        var receiver = new LatencyReceiver(broker.Client.OpenConsumer(topics[0], options.FetchBytes), total, (int)(WarmupSeconds * rate));
        SendAll(producer, total, rate);
        producer.AwaitAcknowledgements();
        return receiver.Finish(broker);
    }

    private static void SendAll(IProducerLink producer, int total, int rate)
    {
        var pacer = new Pacer(rate);
        Span<long> due = stackalloc long[DueRecordsMax];
        for (var sent = 0; sent < total;)
        {
            var count = pacer.TakeDue(due[..Math.Min(DueRecordsMax, total - sent)]);
            producer.Send(due[..count]);
            sent += count;
        }
    }

    /// <summary>The consuming thread of one round.</summary>
    private sealed class LatencyReceiver
    {
        private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
        private readonly IConsumerLink _link;
        private readonly LatencyRecorder _latencies;
        private readonly int _total;
        private readonly Thread _thread;
        private int _toSkip;
        private int _received;

        public LatencyReceiver(IConsumerLink link, int total, int toSkip)
        {
            (_link, _total, _toSkip, _latencies) = (link, total, toSkip, new LatencyRecorder(total));
            _thread = new Thread(Receive) { IsBackground = true };
            _thread.Start();
        }

        public LatencyResult Finish(RunningBroker broker)
        {
            _thread.Join(LongestWait);
            _link.Dispose();
            _thread.Join();
            return new LatencyResult(
                broker.Name, broker.IsOurs, _latencies.Milliseconds(0.5), _latencies.Milliseconds(0.99),
                _latencies.Milliseconds(0.999), _latencies.Milliseconds(1), _total - _received);
        }

        private void Receive()
        {
            try
            {
                while (_received < _total)
                {
                    _ = _link.Receive(Take);
                }
            }
            catch (Exception e) when (e is BrokerException or System.Net.Sockets.SocketException or ObjectDisposedException)
            {
                // Disposed after the longest wait: what is missing is reported as lost.
            }
        }

        private void Take(long due)
        {
            if (due == 0)
            {
                return; // the record that opened the connection
            }

            _received++;
            if (_toSkip-- <= 0)
            {
                _latencies.Add(due, Stopwatch.GetTimestamp());
            }
        }
    }
}

/// <summary>One round of one broker, in milliseconds.</summary>
internal sealed record LatencyResult(
    string Broker, bool IsOurs, double P50, double P99, double P999, double Worst, int Missing);
