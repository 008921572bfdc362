using System.CommandLine;
using OrleansLog.Cli.Output;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics reassignments</c>.</summary>
internal static class ReassignmentsCommand
{
    public static Command Create() => new OlogCommand(
        "reassignments",
        "Shows the partitions that are being moved, and how much of each is copied.",
        "olog topics reassignments",
        "watch olog topics reassignments")
        .Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var moves = await admin.ListPartitionReassignmentsAsync(null, cancellationToken);
        if (moves.Count == 0)
        {
            session.Out.WriteLine("No partition is being moved.");
            return;
        }
        var sizes = await MoveSizes.OfClusterAsync(admin, cancellationToken);
        var table = new TextTable("PARTITION", "REPLICAS", "ADDING", "REMOVING", ">COPIED", ">OF");
        foreach (var move in moves)
        {
            var (copied, total) = sizes?.Of(move) ?? (-1, -1);
            table.Add(
                $"{move.Partition}", Join(move.Replicas), Join(move.Adding), Join(move.Removing),
                copied < 0 ? "-" : Units.Bytes(copied), total < 0 ? "-" : Units.Bytes(total));
        }
        table.WriteTo(session.Terminal);
    }

    private static string Join(IReadOnlyList<Protocol.BrokerId> brokers) => brokers.Count == 0 ? "-" : string.Join(',', brokers);
}
