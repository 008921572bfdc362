using System.CommandLine;
using System.Diagnostics;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog bench produce</c>.</summary>
internal static class BenchProduceCommand
{
    private const long DefaultRecords = 5_000_000;
    private const int RecordsPerRound = 1024;

    private static readonly Option<long?> Records = CommonOptions.Long("--records", "How many records (default 5,000,000, unless --seconds is given).", 1);
    private static readonly Option<Acks?> AckLevel = CommonOptions.AcksOption();
    private static readonly Option<CompressionType?> Compression = CommonOptions.CompressionOption();
    private static readonly Option<int?> BatchBytes = CommonOptions.Int("--batch-bytes", "The size at which a batch is sent (default 1,000,000).", 1);
    private static readonly Option<bool> NoIdempotence = new("--no-idempotence") { Description = "Do not number the records (a retry may store some twice)." };
    private static readonly Option<long?> TransactionRecords = CommonOptions.Long("--transaction-records", "Write in transactions of so many records each.", 1);
    private static readonly Option<int?> Producers = CommonOptions.Int("--producers", "How many producers write at a time (default 1), each its share of the records.", 1, 1000);
    private static readonly Option<int?> LingerMs = CommonOptions.LingerOption();

    public static Command Create() => new OlogCommand(
        "produce",
        "Writes records as fast as they are taken. One record in 1,024 is timed from the call to its acknowledgement, which\n"
        + "with the buffer always full is mostly time in the queue; 'olog bench latency' shows an unloaded cluster's.",
        "olog bench produce",
        "olog bench produce --topic fast --config flush.messages=1000000000 --record-size 1024 --seconds 10",
        "olog bench produce --acks 1 --compression lz4 --records 1000000")
    {
        BenchTopic.Name, BenchTopic.Partitions, BenchTopic.Config, BenchTopic.RecordSize, Records, BenchTopic.Seconds,
        AckLevel, Compression, BatchBytes, LingerMs, NoIdempotence, TransactionRecords, Producers,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var client = await session.ConnectAsync(cancellationToken);
        var topic = await BenchTopic.PrepareAsync(session, client.Admin, cancellationToken);
        OrleansLogException? error = null;
        var byDefault = new ProducerOptions();
        var acks = session.Get(AckLevel) ?? byDefault.Acks;
        var options = byDefault with
        {
            Acks = acks,
            Compression = session.Get(Compression) ?? byDefault.Compression,
            BatchBytes = session.Get(BatchBytes) ?? byDefault.BatchBytes,
            EnableIdempotence = !session.Get(NoIdempotence),
            LingerMs = CommonOptions.LingerMsOf(session, LingerMs, acks),
            OnDelivery = report => error ??= report.Error,
        };
        var latencies = new Percentiles();
        // Who watches sees the first one's part.
        var parts = Enumerable.Range(0, session.Get(Producers) ?? 1).Select(i => new Progress(session.Terminal, hidden: i > 0)).ToArray();
        await Task.WhenAll(parts.Select(part => Task.Run(async () =>
        {
            var name = session.Get(TransactionRecords) is null ? null : $"olog-bench-{Guid.NewGuid():n}";
            await using var producer = client.CreateProducer(options with { TransactionalId = name });
            await WriteAsync(session, producer, topic.Name, part, latencies, () => error is not null, cancellationToken);
            await producer.FlushAsync(CancellationToken.None);
        }, CancellationToken.None)));
        var elapsed = parts[0].Elapsed;
        foreach (var part in parts) part.Dispose();
        if (error is not null) throw error;
        if (session.Get(TransactionRecords) is { } size) session.Out.WriteLine($"In transactions of {Units.Counted(size, "record")}.");
        session.Out.WriteLine($"Produced {Units.Throughput(parts.Sum(part => part.Records), parts.Sum(part => part.Bytes), elapsed)}, acks {options.Acks}, compression {options.Compression}.");
        if (options.Acks != Acks.None) session.Out.WriteLine($"To acknowledgement, under full load: {latencies}.");
    }

    private static async Task WriteAsync(
        Session session, Producer producer, string topic, Progress progress, Percentiles latencies, Func<bool> failed, CancellationToken cancellationToken)
    {
        var payload = new Payload(session.Get(BenchTopic.RecordSize) ?? BenchTopic.DefaultRecordSize);
        var seconds = session.Get(BenchTopic.Seconds);
        var records = (session.Get(Records) ?? (seconds is null ? DefaultRecords : long.MaxValue)) / (session.Get(Producers) ?? 1);
        while (progress.Records < records && !failed() && !cancellationToken.IsCancellationRequested)
        {
            if (progress.Elapsed.TotalSeconds >= seconds) return;
            await using var transaction = producer.Options.TransactionalId is null ? null : producer.BeginTransaction();
            var end = Math.Min(records, progress.Records + (session.Get(TransactionRecords) ?? RecordsPerRound));
            while (progress.Records < end) await WriteRoundAsync(producer, topic, payload, progress, latencies, end);
            if (transaction is not null) await transaction.CommitAsync(CancellationToken.None);
        }
    }

    private static async Task WriteRoundAsync(Producer producer, string topic, Payload payload, Progress progress, Percentiles latencies, long end)
    {
        WriteTimed(producer, topic, payload, progress, latencies);
        var round = (int)Math.Min(RecordsPerRound - 1, end - progress.Records);
        for (var left = round; left > 0;)
            if (Post(producer, topic, payload, progress, ref left) is { } pending) await pending;
    }

    private static void WriteTimed(Producer producer, string topic, Payload payload, Progress progress, Percentiles latencies)
    {
        var value = payload.Next();
        _ = TimeAsync(producer.ProduceAsync(topic, value, CancellationToken.None), latencies);
        progress.Add(1, value.Length);
    }

    private static Task? Post(Producer producer, string topic, Payload payload, Progress progress, ref int left)
    {
        while (left > 0)
        {
            var value = payload.Next();
            left--;
            progress.Add(1, value.Length);
            if (!producer.TryPost(topic, value)) return producer.PostAsync(topic, new OutgoingRecord { Value = value }).AsTask();
        }
        return null;
    }

    // A failure reaches the command through the delivery reports.
    private static async Task TimeAsync(ValueTask<RecordMetadata> delivery, Percentiles latencies)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await delivery;
            latencies.AddSince(started);
        }
        catch (OrleansLogException)
        {
        }
    }
}
