using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog transactions describe</c>.</summary>
internal static class DescribeTransactionCommand
{
    private static readonly Argument<string> TransactionalId = new("ID") { Description = "The transactional id." };

    public static Command Create() => new OlogCommand(
        "describe",
        "Shows where a transactional id stands, and what its open transaction has written in each partition.",
        "olog transactions describe billing-1")
    {
        TransactionalId,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var transaction = await FindAsync(admin, session.Get(TransactionalId), cancellationToken);
        session.Out.WriteLine(
            $"Transactional id {transaction.TransactionalId}: {transaction.State}, producer {transaction.ProducerId} in epoch {transaction.ProducerEpoch}, "
            + $"coordinator {transaction.Coordinator}, time-out {Units.Invariant($"{transaction.Timeout.TotalSeconds:0.###}")} s");
        if (transaction.StartedAt is { } started)
            session.Out.WriteLine(Units.Invariant($"Open since {started:yyyy-MM-ddTHH:mm:ss.fffZ}."));
        if (transaction.Partitions.Count == 0) return;
        var producers = (await admin.DescribeProducersAsync(transaction.Partitions, cancellationToken))
            .Where(producer => producer.ProducerId == transaction.ProducerId).ToDictionary(producer => producer.Partition);
        var table = new TextTable("TOPIC", ">PARTITION", ">FROM");
        foreach (var partition in transaction.Partitions.OrderBy(p => p.Topic, StringComparer.Ordinal).ThenBy(p => p.Partition))
            table.Add(partition.Topic, $"{partition.Partition}", producers.GetValueOrDefault(partition)?.TransactionStart?.ToString() ?? "-");
        table.WriteTo(session.Terminal);
    }

    /// <exception cref="CommandException">There is no such id.</exception>
    public static async Task<TransactionDescription> FindAsync(AdminClient admin, string id, CancellationToken cancellationToken)
    {
        if (await admin.DescribeTransactionAsync(id, cancellationToken) is { } found) return found;
        var known = (await admin.ListTransactionsAsync(null, cancellationToken)).Select(each => each.TransactionalId);
        throw new CommandException($"there is no transactional id '{id}'{NearestName.Suggest(id, known)} 'olog transactions list' shows all.");
    }
}
