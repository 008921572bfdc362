using System.CommandLine;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics reassign</c>.</summary>
internal static class ReassignTopicCommand
{
    private static readonly Argument<PartitionArgument> Partitions = PartitionArgument.One("The topic or single partition to move.");

    private static readonly Option<int[]> Brokers = CommonOptions.Ints(
        "--brokers", "The brokers to hold it, 1,2,3: the first is the preferred leader; of a whole topic each partition begins at the next one.");

    private static readonly Option<bool> Cancel = new("--cancel") { Description = "Call off moves that are under way." };

    /// <summary>Shared by the commands that move partitions.</summary>
    public static readonly Option<bool> Wait = new("--wait") { Description = "Wait until the moves have ended, and show how far they are." };

    public static Command Create() => new OlogCommand(
        "reassign",
        "Moves partitions to other brokers while they serve.",
        "olog topics reassign orders --brokers 1,2,3 --wait",
        "olog topics reassign orders:0 --brokers 2,3",
        "olog topics reassign orders --cancel")
    {
        Partitions, Brokers, Cancel, Wait,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        BrokerId[] brokers = [.. (session.Get(Brokers) ?? []).Select(id => new BrokerId(id))];
        var cancel = session.Get(Cancel);
        if (brokers.Length > 0 == cancel) throw new CommandException("give either --brokers or --cancel.", ExitCode.Usage);
        if (brokers.Distinct().Count() < brokers.Length) throw new CommandException("--brokers names one broker twice.", ExitCode.Usage);
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var named = session.Get(Partitions);
        var partitions = await named.FindAsync(admin, cancellationToken);
        if (!cancel)
        {
            var moves = partitions.ToDictionary(partition => partition, partition =>
                (IReadOnlyList<BrokerId>?)Rotate(brokers, named.Partition is null ? partition.Partition : 0));
            return await Moves.RunAsync(session, admin, moves, session.Get(Wait), cancellationToken);
        }
        return await CancelAsync(session, admin, partitions, cancellationToken);
    }

    private static async Task<int> CancelAsync(Session session, AdminClient admin, TopicPartition[] partitions, CancellationToken cancellationToken)
    {
        var moving = await admin.ListPartitionReassignmentsAsync(partitions, cancellationToken);
        var calledOff = await Moves.BeginAsync(
            session, admin, moving.ToDictionary(move => move.Partition, _ => (IReadOnlyList<BrokerId>?)null), cancellationToken);
        session.Out.WriteLine(moving.Count == 0 ? "Nothing of it is being moved." : $"Called off {Output.Units.Counted(calledOff.Count, "move")}.");
        return calledOff.Count == moving.Count ? ExitCode.Success : ExitCode.Failure;
    }

    private static BrokerId[] Rotate(BrokerId[] brokers, int by) =>
        [.. Enumerable.Range(0, brokers.Length).Select(i => brokers[(i + by) % brokers.Length])];
}
