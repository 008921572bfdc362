using System.CommandLine;
using OrleansLog.Cli.Output;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups list</c>.</summary>
internal static class ListGroupsCommand
{
    private static readonly Option<string?> Type = new("--type")
    {
        Description = "Only groups of this type: who assigns, its members (classic) or its coordinator (consumer, KIP-848; share, KIP-932).",
        HelpName = "classic|consumer|share",
    };

    private static readonly Option<string?> State = new("--state") { Description = "Only groups in this state, for instance Stable or Empty.", HelpName = "STATE" };

    public static Command Create() => new OlogCommand(
        "list",
        "Lists groups, of consumers and share groups, and their states.",
        "olog groups list",
        "olog groups list --type consumer --state Stable")
    {
        Type, State,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var table = new TextTable("GROUP", "STATE", "TYPE", "PROTOCOL");
        var groups = (await admin.ListGroupsAsync(cancellationToken)).Where(g => Passes(session.Get(Type), g.GroupType) && Passes(session.Get(State), g.State));
        foreach (var group in groups.OrderBy(g => g.GroupId, StringComparer.Ordinal))
            table.Add(group.GroupId, group.State, group.GroupType, group.ProtocolType.Length > 0 ? group.ProtocolType : "-");
        table.WriteTo(session.Terminal);
        if (table.RowCount == 0) session.Remark("there are no such groups; 'olog consume TOPIC --group NAME' makes one.");
    }

    private static bool Passes(string? wanted, string present) => wanted is null || wanted.Equals(present, StringComparison.OrdinalIgnoreCase);
}
