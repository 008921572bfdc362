using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>
/// <c>olog brokers decommission</c>: moves every replica off a broker. Round by round, since topics may be created on it
/// meanwhile.
/// </summary>
internal static class DecommissionCommand
{
    private static readonly Argument<int> Id = BrokersCommand.IdArgument("The broker to empty.");

    public static Command Create() => new OlogCommand(
        "decommission",
        "Moves every replica off a broker, to racks that a partition does not use and where the fewest replicas are. "
        + "The broker can be stopped for good when nothing is left on it.",
        "olog brokers decommission 3 --wait")
    {
        Id, ReassignTopicCommand.Wait,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var leaving = new BrokerId(session.Get(Id));
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var plan = await ReplicaPlan.OfClusterAsync(admin, cancellationToken);
        if (plan.PartitionsOf(leaving).Count == 0 && !plan.IsAlive(leaving))
            throw new CommandException($"there is no broker {leaving}, and no partition is on one; 'olog brokers' lists those that live.");
        if (!session.Get(ReassignTopicCommand.Wait))
        {
            var moves = Empty(plan, leaving);
            if (moves.Count > 0) return await Moves.RunAsync(session, admin, moves, wait: false, cancellationToken);
        }
        var moved = 0;
        for (; ; plan = await ReplicaPlan.OfClusterAsync(admin, cancellationToken))
        {
            var begun = await Moves.BeginAsync(session, admin, Empty(plan, leaving), cancellationToken);
            if (begun.Count == 0 && plan.PartitionsOf(leaving).Count > 0) return ExitCode.Failure;
            TopicPartition[] moving = [.. begun.Union(await LeavingAsync(admin, leaving, cancellationToken))];
            if (moving.Length == 0) break;
            await Moves.WatchAsync(session, admin, moving, cancellationToken);
            moved += moving.Length;
        }
        session.Out.WriteLine(moved == 0 ? $"Broker {leaving} holds nothing." : $"Moved {Units.Counted(moved, "replica")} off broker {leaving}; it holds nothing any more.");
        return ExitCode.Success;
    }

    /// <exception cref="CommandException">A partition has nowhere to go.</exception>
    private static Dictionary<TopicPartition, IReadOnlyList<BrokerId>?> Empty(ReplicaPlan plan, BrokerId leaving)
    {
        Dictionary<TopicPartition, IReadOnlyList<BrokerId>?> moves = [];
        foreach (var partition in plan.PartitionsOf(leaving))
        {
            moves[partition] = plan.Replace(partition, leaving) ?? throw new CommandException(
                $"broker {leaving} cannot be emptied: {partition} has {Units.Counted(plan.TargetOf(partition).Count, "replica")}, and no other living broker is free to take one. "
                + "Add a broker, or reassign the topic to fewer. Nothing was changed.");
        }
        return moves;
    }

    // Those too that somebody else began to move, and those of an earlier run.
    private static async Task<IEnumerable<TopicPartition>> LeavingAsync(AdminClient admin, BrokerId leaving, CancellationToken cancellationToken)
    {
        var moving = await admin.ListPartitionReassignmentsAsync(null, cancellationToken);
        return moving.Where(move => move.Removing.Contains(leaving)).Select(move => move.Partition);
    }
}
