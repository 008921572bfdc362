using System.CommandLine;
using OrleansLog.Cli.Output;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups list</c>.</summary>
internal static class ListGroupsCommand
{
    public static Command Create() => new OlogCommand("list", "Lists consumer groups and their states.", "olog groups list").Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var table = new TextTable("GROUP", "STATE", "TYPE", "PROTOCOL");
        foreach (var group in (await admin.ListGroupsAsync(cancellationToken)).OrderBy(g => g.GroupId, StringComparer.Ordinal))
            table.Add(group.GroupId, group.State, group.GroupType, group.ProtocolType.Length > 0 ? group.ProtocolType : "-");
        table.WriteTo(session.Terminal);
        if (table.RowCount == 0) session.Remark("there are no groups; 'olog consume TOPIC --group NAME' makes one.");
    }
}
