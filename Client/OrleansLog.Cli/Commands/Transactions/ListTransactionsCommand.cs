using System.CommandLine;
using OrleansLog.Cli.Output;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog transactions list</c>.</summary>
internal static class ListTransactionsCommand
{
    private static readonly Option<string[]> States = new("--state")
    {
        Description = "Only transactional ids in this state: Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit or CompleteAbort. Repeat it for more.",
        HelpName = "STATE",
    };

    public static Command Create() => new OlogCommand(
        "list",
        "Lists transactional ids and where they stand.",
        "olog transactions list",
        "olog transactions list --state Ongoing")
    {
        States,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var table = new TextTable("TRANSACTIONAL ID", "STATE", ">PRODUCER", ">COORDINATOR");
        foreach (var transaction in await admin.ListTransactionsAsync(session.Get(States), cancellationToken))
            table.Add(transaction.TransactionalId, transaction.State, $"{transaction.ProducerId}", $"{transaction.Coordinator}");
        table.WriteTo(session.Terminal);
        if (table.RowCount == 0) session.Remark("there are none.");
    }
}
