using System.Diagnostics;
using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;
using OrleansLog.Client;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>
/// What it takes to acknowledge record by record, ours alone: one member of a share group (KIP-932) beside one of a consumer
/// group, both reading the same backlog with our own client, record by record, in turns.
/// </summary>
internal static class Sharing
{
    private const string Topic = "jobs";
    private const int Records = 400_000, RecordBytes = 100;

    public static void Run(BenchmarkOptions options)
    {
        try
        {
            RunAsync(options).GetAwaiter().GetResult();
        }
        catch (UnavailableException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    private static async Task RunAsync(BenchmarkOptions options)
    {
        using var broker = new OrleansLogBroker(options).StartProcess(Path.Combine(options.DataDirectory, "sharing"), options.FirstPort, 1).Broker;
        await using var client = new OrleansLogClient(broker.EndPoint.ToString());
        await ProduceAsync(client);
        var (consumer, one, four) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            consumer.Add(await ConsumeAsync(client, $"consumers-{round}"));
            one.Add(await ShareAsync(client, $"share-{round}", members: 1));
            four.Add(await ShareAsync(client, $"sharers-{round}", members: 4));
        }

        var table = new Table($"{Records} records of {RecordBytes} B from one partition, record by record", "records/s", "least", "most");
        Add(table, "a consumer group of one member", consumer);
        Add(table, "a share group of one member, implicit acknowledgement", one);
        Add(table, "a share group of four members", four);
        table.Print(Console.Out);
    }

    private static void Add(Table table, string what, List<double> rates) =>
        table.Add(what, Text.Fixed(Statistics.Median(rates), 0), Text.Fixed(rates.Min(), 0), Text.Fixed(rates.Max(), 0));

    private static async Task ProduceAsync(OrleansLogClient client)
    {
        await using var producer = client.CreateProducer<byte[], byte[]>();
        var value = new byte[RecordBytes];
        var last = default(ValueTask<RecordMetadata>);
        for (var i = 0; i < Records; i++) last = producer.ProduceAsync(Topic, null, value);
        await last;
        await producer.FlushAsync();
    }

    private static async Task<double> ConsumeAsync(OrleansLogClient client, string group)
    {
        await using var consumer = client.CreateConsumer<byte[], byte[]>(new() { GroupId = group, OffsetReset = OffsetReset.Earliest });
        consumer.Subscribe(Topic);
        var (watch, read) = (new Stopwatch(), 0);
        await foreach (var record in consumer.ConsumeAsync())
        {
            if (read++ == 0) watch.Start();
            if (read == Records) break;
        }

        await consumer.CommitAsync();
        return Records / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> ShareAsync(OrleansLogClient client, string group, int members)
    {
        await client.Admin.AlterConfigsAsync(new(ConfigResourceType.Group, group), [ConfigChange.Set("share.auto.offset.reset", "earliest")]);
        using var done = new CancellationTokenSource();
        var (watch, read) = (new Stopwatch(), 0);
        await Task.WhenAll(Enumerable.Range(0, members).Select(_ => Task.Run(async () =>
        {
            await using var consumer = client.CreateShareConsumer<byte[], byte[]>(new() { GroupId = group });
            consumer.Subscribe(Topic);
            try
            {
                await foreach (var record in consumer.ConsumeAsync(done.Token))
                {
                    var count = Interlocked.Increment(ref read);
                    if (count == 1) watch.Start();
                    if (count < Records) continue;
                    await consumer.CommitAsync();
                    watch.Stop();
                    await done.CancelAsync();
                }
            }
            catch (OperationCanceledException)
            {
                // Another member had the last record.
            }
        })));
        return Records / watch.Elapsed.TotalSeconds;
    }
}
