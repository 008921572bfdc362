using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog bench consume</c>.</summary>
internal static class BenchConsumeCommand
{
    private static readonly Option<long?> Records = CommonOptions.Long("--records", "Stop after so many records.", 1);

    public static Command Create() => new OlogCommand(
        "consume",
        "Reads a topic from its beginning to where it ended, record by record, and throws the records away.",
        "olog bench consume",
        "olog bench consume --topic orders --seconds 10")
    {
        BenchTopic.Name, Records, BenchTopic.Seconds,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var client = await session.ConnectAsync(cancellationToken);
        var topic = await TopicLookup.DescribeAsync(client.Admin, session.Get(BenchTopic.Name), cancellationToken);
        session.Out.WriteLine($"Topic '{topic.Name}': {await BenchTopic.DurabilityAsync(client.Admin, topic, cancellationToken)}");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var progress = new Progress(session.Terminal);
        await ReadAsync(session, client, topic, progress, stop);
        progress.Dispose();
        session.Out.WriteLine($"Consumed {Units.Throughput(progress.Records, progress.Bytes, progress.Elapsed)}.");
    }

    private static async Task ReadAsync(
        Session session, OrleansLogClient client, TopicDescription topic, Progress progress, CancellationTokenSource stop)
    {
        var partitions = TopicLookup.Choose(topic, []);
        var ranges = await OffsetRanges.OfAsync(client.Admin, partitions, stop.Token);
        var starts = partitions.ToDictionary(p => p, p => ranges.Of(p).Start);
        var end = new EndOfReading(partitions.ToDictionary(p => p, p => ranges.Of(p).End), stop);
        await using var consumer = client.CreateConsumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign(starts.Select(s => new TopicPartitionOffset(s.Key, s.Value)));
        if (session.Get(BenchTopic.Seconds) is { } seconds) stop.CancelAfter(TimeSpan.FromSeconds(seconds));
        end.Begin(starts);
        try
        {
            await foreach (var batch in consumer.ConsumeBatchesAsync(stop.Token))
            {
                Count(batch, progress);
                if (progress.Records >= session.Get(Records)) return;
                end.Handled(consumer, batch.Partition, batch.NextOffset);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private static void Count(FetchedBatch batch, Progress progress)
    {
        var (records, bytes) = (0, 0L);
        foreach (var record in batch)
        {
            records++;
            bytes += record.Key.Length + record.Value.Length;
        }
        progress.Add(records, bytes);
    }
}
