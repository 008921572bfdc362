using System.CommandLine;
using OrleansLog.Cli.Output;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics list</c>.</summary>
internal static class ListTopicsCommand
{
    private static readonly Option<bool> All = new("--all") { Description = "Internal topics too." };

    private static readonly Option<bool> Names = new("--names") { Description = "Only the names, one a line, for scripts." };

    public static Command Create() => new OlogCommand(
        "list",
        "Lists topics.",
        "olog topics list",
        "olog topics list --names | grep '^test-' | xargs olog topics delete")
    {
        All, Names,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var topics = (await admin.ListTopicsAsync(session.Get(All), cancellationToken)).OrderBy(t => t.Name, StringComparer.Ordinal);
        if (session.Get(Names))
        {
            foreach (var topic in topics) session.Out.WriteLine(topic.Name);
            return;
        }
        var table = new TextTable("TOPIC", ">PARTITIONS", "KIND");
        foreach (var topic in topics)
            table.Add(topic.Name, Units.Count(topic.PartitionCount), topic.IsInternal ? "internal" : "data");
        table.WriteTo(session.Terminal);
        if (table.RowCount == 0) session.Remark("there are no topics yet; create one with 'olog topics create NAME'.");
    }
}
