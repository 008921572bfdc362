using System.CommandLine;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog transactions abort</c>.</summary>
internal static class AbortTransactionCommand
{
    private static readonly Argument<string?> TransactionalId = new("ID")
    {
        Description = "The transactional id whose producer is ended.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Topic = new("--topic") { Description = "The topic in which a transaction hangs.", HelpName = "TOPIC" };

    private static readonly Option<int?> Partition = CommonOptions.Int("--partition", "The partition in which it hangs.", 0);

    private static readonly Option<long?> From = CommonOptions.Long("--from", "The offset at which it begins there, as find-hanging shows it.", 0);

    public static Command Create() => new OlogCommand(
        "abort",
        "Aborts the open transaction of a transactional id and ends its producer; or, where a transaction hangs that no\n"
        + "coordinator knows of, aborts it in one partition.",
        "olog transactions abort billing-1",
        "olog transactions abort --topic orders --partition 3 --from 4711")
    {
        TransactionalId, Topic, Partition, From,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var id = session.Get(TransactionalId);
        var isOfPartition = session.Has(Topic) && session.Has(Partition) && session.Has(From);
        if (id is null ? !isOfPartition : session.Has(Topic) || session.Has(Partition) || session.Has(From))
            throw new CommandException("name either a transactional id, or a transaction by --topic, --partition and --from.", ExitCode.Usage);
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        if (id is null) await AbortInPartitionAsync(session, admin, cancellationToken);
        else await FenceAsync(session, admin, id, cancellationToken);
    }

    private static async Task FenceAsync(Session session, AdminClient admin, string id, CancellationToken cancellationToken)
    {
        var before = await DescribeTransactionCommand.FindAsync(admin, id, cancellationToken);
        await admin.FenceProducerAsync(id, cancellationToken);
        session.Out.WriteLine(before.StartedAt is null
            ? $"'{id}' had no open transaction; its producer is ended."
            : $"Aborted the transaction of '{id}'; its producer is ended.");
    }

    private static async Task AbortInPartitionAsync(Session session, AdminClient admin, CancellationToken cancellationToken)
    {
        var topic = await TopicLookup.DescribeAsync(admin, session.Get(Topic)!, cancellationToken);
        var partition = TopicLookup.Choose(topic, [session.Get(Partition)!.Value])[0];
        var from = session.Get(From)!.Value;
        var producer = (await admin.DescribeProducersAsync([partition], cancellationToken)).FirstOrDefault(each => each.TransactionStart?.Value == from)
            ?? throw new CommandException($"no transaction that begins at offset {from} is open in {partition}; 'olog transactions find-hanging' shows those that hang.");
        await admin.AbortInPartitionAsync(producer, cancellationToken);
        session.Out.WriteLine($"Aborted the transaction of producer {producer.ProducerId} in {partition}.");
    }
}
