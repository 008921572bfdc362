using System.CommandLine;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics increase-replication</c>.</summary>
internal static class IncreaseReplicationCommand
{
    private static readonly Argument<string> Topic = new("TOPIC") { Description = "The topic that gets more replicas." };

    private static readonly Option<int?> Factor = RequiredFactor();

    public static Command Create() => new OlogCommand(
        "increase-replication",
        "Gives every partition of a topic more replicas: in racks that it does not use, where the fewest replicas are.",
        "olog topics increase-replication orders --factor 3 --wait")
    {
        Topic, Factor, ReassignTopicCommand.Wait,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var factor = session.Get(Factor)!.Value;
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var partitions = await new PartitionArgument(session.Get(Topic), null).FindAsync(admin, cancellationToken);
        var plan = await ReplicaPlan.OfClusterAsync(admin, cancellationToken);
        Dictionary<TopicPartition, IReadOnlyList<BrokerId>?> moves = [];
        foreach (var partition in partitions.Where(partition => plan.TargetOf(partition).Count < factor))
        {
            moves[partition] = plan.Grow(partition, factor)
                ?? throw new CommandException($"{factor} replicas need {factor} living brokers; 'olog brokers' shows which live. Nothing was changed.");
        }
        if (moves.Count > 0) return await Moves.RunAsync(session, admin, moves, session.Get(ReassignTopicCommand.Wait), cancellationToken);
        session.Out.WriteLine($"Every partition of topic '{session.Get(Topic)}' has {factor} replicas or more already.");
        return ExitCode.Success;
    }

    private static Option<int?> RequiredFactor()
    {
        var option = CommonOptions.Int("--factor", "How many replicas each partition shall have.", 1, short.MaxValue);
        option.Required = true;
        return option;
    }
}
