using System.CommandLine;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics elect</c>.</summary>
internal static class ElectLeadersCommand
{
    private static readonly Argument<PartitionArgument[]> Partitions = PartitionArgument.Several("The topics or single partitions to elect leaders for.");

    private static readonly Option<bool> Unclean = new("--unclean")
    {
        Description = "Where no in-sync replica lives, let any living one lead. Records that only the others hold are lost.",
    };

    public static Command Create() => new OlogCommand(
        "elect",
        "Makes the preferred replica of partitions their leader: the first of their replicas, if it is in sync.",
        "olog topics elect orders",
        "olog topics elect orders:0 payments:3",
        "olog topics elect --unclean orders:2")
    {
        Partitions, Unclean,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        List<TopicPartition> partitions = [];
        foreach (var named in session.Get(Partitions)) partitions.AddRange(await named.FindAsync(admin, cancellationToken));
        var type = session.Get(Unclean) ? ElectionType.Unclean : ElectionType.Preferred;
        var results = await admin.ElectLeadersAsync(type, [.. partitions.Distinct()], cancellationToken);
        foreach (var result in results) Report(session, result, type);
        return results.All(result => result.Error is ErrorCode.None or ErrorCode.ElectionNotNeeded) ? ExitCode.Success : ExitCode.Failure;
    }

    private static void Report(Session session, PartitionResult result, ElectionType type)
    {
        if (result.Error == ErrorCode.None) session.Out.WriteLine(result.Message ?? $"Elected a leader of {result.Partition}.");
        else if (result.Error == ErrorCode.ElectionNotNeeded)
            session.Out.WriteLine($"{result.Partition} is led by {(type == ElectionType.Preferred ? "its preferred replica" : "an in-sync replica")} already.");
        else session.Error.WriteLine($"olog: could not elect a leader of {result.Partition}: {(result.Message ?? Explain(result.Error)).TrimEnd('.')}.");
    }

    private static string Explain(ErrorCode error) => error switch
    {
        ErrorCode.PreferredLeaderNotAvailable => "its preferred replica does not live or is not in sync",
        ErrorCode.EligibleLeadersNotAvailable => "none of its replicas lives",
        _ => error.ToString(),
    };
}
