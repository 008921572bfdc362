using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups</c>.</summary>
internal static class GroupsCommand
{
    public static Command Create() => new OlogCommand(
        "groups",
        "Lists, describes, moves, configures and deletes groups: of consumers, and share groups.",
        "olog groups list",
        "olog groups describe kitchen",
        "olog groups reset-offsets kitchen --topic orders --to earliest --execute")
    {
        ListGroupsCommand.Create(),
        DescribeGroupCommand.Create(),
        ResetOffsetsCommand.Create(),
        DeleteGroupsCommand.Create(),
        ConfigureGroupCommand.Create(),
    };
}
