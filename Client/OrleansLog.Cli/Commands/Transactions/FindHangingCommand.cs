using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog transactions find-hanging</c>.</summary>
internal static class FindHangingCommand
{
    private static readonly Option<string[]> Topics = new("--topic") { Description = "Look at this topic only. Repeat it for more.", HelpName = "TOPIC" };

    private static readonly Option<long?> Minutes = CommonOptions.Long(
        "--older-than-minutes", "Only transactions whose last record is older (default 15, the brokers' default for transaction.max.timeout.ms).", 0);

    public static Command Create() => new OlogCommand(
        "find-hanging",
        "Finds transactions that are open in a partition and that no coordinator knows of: readers of committed records wait\n"
        + "for their end for ever. 'olog transactions abort' ends them.",
        "olog transactions find-hanging",
        "olog transactions find-hanging --topic orders --older-than-minutes 1")
    {
        Topics, Minutes,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var names = session.Get(Topics) is { Length: > 0 } asked
            ? asked
            : [.. (await admin.ListTopicsAsync(includeInternal: true, cancellationToken)).Select(topic => topic.Name)];
        var before = session.Terminal.Time.GetUtcNow() - TimeSpan.FromMinutes(session.Get(Minutes) ?? 15);
        var table = new TextTable("TOPIC", ">PARTITION", ">FROM", ">PRODUCER", ">EPOCH", "LAST RECORD");
        foreach (var producer in await FindAsync(admin, names, before, cancellationToken))
        {
            table.Add(
                producer.Partition.Topic, $"{producer.Partition.Partition}", $"{producer.TransactionStart}", $"{producer.ProducerId}",
                $"{producer.ProducerEpoch}", Units.Invariant($"{producer.LastWrittenAt:yyyy-MM-ddTHH:mm:ssZ}"));
        }
        table.WriteTo(session.Terminal);
        if (table.RowCount == 0) session.Remark("no transaction hangs.");
    }

    private static async Task<List<PartitionProducer>> FindAsync(AdminClient admin, string[] topics, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var open = new List<PartitionProducer>();
        foreach (var topic in topics)
        {
            var partitions = TopicLookup.Choose(await TopicLookup.DescribeAsync(admin, topic, cancellationToken), []);
            open.AddRange((await admin.DescribeProducersAsync(partitions, cancellationToken))
                .Where(producer => producer.TransactionStart is not null && producer.LastWrittenAt < before));
        }
        // Asked for afterwards: what has begun meanwhile is not among the open ones, and what has ended is no harm.
        var known = open.Count == 0 ? [] : await KnownAsync(admin, open, cancellationToken);
        return open.FindAll(producer => !known.Contains((producer.ProducerId, producer.Partition)));
    }

    private static async Task<HashSet<(long, TopicPartition)>> KnownAsync(
        AdminClient admin, List<PartitionProducer> open, CancellationToken cancellationToken)
    {
        var known = new HashSet<(long, TopicPartition)>();
        var ids = open.Select(producer => producer.ProducerId).ToHashSet();
        foreach (var listed in (await admin.ListTransactionsAsync(null, cancellationToken)).Where(each => ids.Contains(each.ProducerId)))
        {
            if (await admin.DescribeTransactionAsync(listed.TransactionalId, cancellationToken) is { } transaction)
                known.UnionWith(transaction.Partitions.Select(partition => (transaction.ProducerId, partition)));
        }
        return known;
    }
}
