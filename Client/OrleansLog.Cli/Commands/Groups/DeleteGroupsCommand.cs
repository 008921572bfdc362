using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups delete</c>.</summary>
internal static class DeleteGroupsCommand
{
    private static readonly Argument<string[]> Groups = new("GROUP")
    {
        Description = "The groups to delete, with their committed offsets.",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create() => new OlogCommand(
        "delete",
        "Deletes groups that have no members, with their committed offsets.",
        "olog groups delete kitchen")
    {
        Groups,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var results = await admin.DeleteGroupsAsync(session.Get(Groups), cancellationToken);
        return ItemResults.Report(session, results, "Deleted group", "could not delete group");
    }
}
