using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog transactions</c>.</summary>
internal static class TransactionsCommand
{
    public static Command Create() => new OlogCommand(
        "transactions",
        "Lists and describes transactions, finds those that hang, and aborts them.",
        "olog transactions list",
        "olog transactions describe billing-1",
        "olog transactions find-hanging --topic orders")
    {
        ListTransactionsCommand.Create(),
        DescribeTransactionCommand.Create(),
        FindHangingCommand.Create(),
        AbortTransactionCommand.Create(),
    };
}
