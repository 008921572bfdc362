using System.Buffers.Binary;
using System.CommandLine;
using System.Diagnostics;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog bench latency</c>.</summary>
internal static class BenchLatencyCommand
{
    private const int DefaultRate = 1000;
    private const int DefaultSeconds = 10;
    private const int StampBytes = sizeof(long);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly Option<int?> Rate = CommonOptions.Int("--rate", "Records a second (default 1,000).", 1, 100_000);
    private static readonly Option<Acks?> AckLevel = CommonOptions.AcksOption();

    public static Command Create() => new OlogCommand(
        "latency",
        "Writes records at a steady rate and reads them in the same process: the time from handing a record to the\n"
        + "producer until the consumer has it, and until it is acknowledged. The first second warms up and is left out.",
        "olog bench latency",
        "olog bench latency --rate 100 --seconds 30 --record-size 1024",
        "olog bench latency --topic fast --config flush.messages=1000000000")
    {
        BenchTopic.Name, BenchTopic.Partitions, BenchTopic.Config, BenchTopic.RecordSize, Rate, BenchTopic.Seconds, AckLevel,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var client = await session.ConnectAsync(cancellationToken);
        var topic = await BenchTopic.PrepareAsync(session, client.Admin, cancellationToken);
        var partitions = TopicLookup.Choose(topic, []);
        var ranges = await OffsetRanges.OfAsync(client.Admin, partitions, cancellationToken);
        await using var consumer = client.CreateConsumer();
        consumer.Assign(partitions.Select(p => new TopicPartitionOffset(p, ranges.Of(p).End)));
        await using var producer = client.CreateProducer(new ProducerOptions { Acks = session.Get(AckLevel) ?? Acks.All });
        var run = new LatencyRun(producer, consumer, topic.Name)
        {
            Rate = session.Get(Rate) ?? DefaultRate,
            Seconds = session.Get(BenchTopic.Seconds) ?? DefaultSeconds,
            RecordSize = Math.Max(StampBytes, session.Get(BenchTopic.RecordSize) ?? BenchTopic.DefaultRecordSize),
        };
        await run.RunAsync(cancellationToken);
        session.Out.WriteLine($"{Units.Count(run.Rate)} records/s of {run.RecordSize} B for {run.Seconds} s, {Units.Counted(run.EndToEnd.Count, "sample")}.");
        session.Out.WriteLine($"End to end:         {run.EndToEnd}.");
        if (session.Get(AckLevel) != Acks.None) session.Out.WriteLine($"To acknowledgement: {run.ToAcknowledgement}.");
    }

    private sealed class LatencyRun(Producer producer, Consumer consumer, string topic)
    {
        public required int Rate { get; init; }
        public required int Seconds { get; init; }
        public required int RecordSize { get; init; }
        public Percentiles EndToEnd { get; } = new();
        public Percentiles ToAcknowledgement { get; } = new();

        private long WarmUp => Rate;

        private long Total => (long)Rate * (Seconds + 1);

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var reading = ReadAsync(stop.Token);
            var acknowledged = await WriteAsync(cancellationToken);
            await Task.WhenAll(acknowledged);
            stop.CancelAfter(Patience);
            if (!await reading)
                throw new CommandException($"some of {Total} records did not come back within {Patience.TotalSeconds} seconds of the last one.");
        }

        private async Task<List<Task>> WriteAsync(CancellationToken cancellationToken)
        {
            var acknowledged = new List<Task>();
            var value = new byte[RecordSize];
            var started = Stopwatch.GetTimestamp();
            using var timer = new PeriodicTimer(Tick);
            for (var sent = 0L; sent < Total; await timer.WaitForNextTickAsync(cancellationToken))
            {
                var due = Math.Min(Total, (long)(Stopwatch.GetElapsedTime(started).TotalSeconds * Rate) + 1);
                for (; sent < due; sent++) acknowledged.Add(SendAsync(value, isCounted: sent >= WarmUp));
            }
            return acknowledged;
        }

        private Task SendAsync(byte[] value, bool isCounted)
        {
            var now = Stopwatch.GetTimestamp();
            BinaryPrimitives.WriteInt64LittleEndian(value, isCounted ? now : -1);
            return AwaitAsync(producer.ProduceAsync(topic, value), now, isCounted);
        }

        private async Task AwaitAsync(ValueTask<RecordMetadata> delivery, long started, bool isCounted)
        {
            await delivery;
            if (isCounted) ToAcknowledgement.AddSince(started);
        }

        /// <returns>Whether all came.</returns>
        private async Task<bool> ReadAsync(CancellationToken stop)
        {
            var missing = Total;
            try
            {
                await foreach (var batch in consumer.ConsumeBatchesAsync(stop))
                {
                    missing -= Take(batch);
                    if (missing <= 0) return true;
                }
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
            }
            return false;
        }

        private int Take(FetchedBatch batch)
        {
            var records = 0;
            foreach (var record in batch)
            {
                var sent = BinaryPrimitives.ReadInt64LittleEndian(record.Value);
                if (sent >= 0) EndToEnd.AddSince(sent);
                records++;
            }
            return records;
        }
    }
}
