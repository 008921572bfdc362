using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics delete</c>.</summary>
internal static class DeleteTopicsCommand
{
    private static readonly Argument<string[]> Topics = new("NAME")
    {
        Description = "The topics to delete, with all their records.",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create() => new OlogCommand(
        "delete",
        "Deletes topics with all their records, at once and for good.",
        "olog topics delete scratch",
        "olog topics delete test-1 test-2")
    {
        Topics,
    }.Runs(RunAsync);

    private static async Task<int> RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var names = session.Get(Topics);
        await TopicLookup.RequireAsync(admin, names, cancellationToken);
        var results = await admin.DeleteTopicsAsync(names, cancellationToken);
        return ItemResults.Report(session, results, "Deleted topic", "could not delete topic");
    }
}
