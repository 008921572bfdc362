using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog tier</c>.</summary>
internal static class TierCommand
{
    public static Command Create() => new OlogCommand(
        "tier",
        "Shows what remote storage holds.",
        "olog tier status")
    {
        TierStatusCommand.Create(),
    };
}
