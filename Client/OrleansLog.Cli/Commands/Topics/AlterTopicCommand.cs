using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics alter</c>.</summary>
internal static class AlterTopicCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "The topic to change." };

    private static readonly Option<int?> Partitions = CommonOptions.Int(
        "--partitions", "Grow to this many partitions. Keys then land elsewhere than before; there is no way back.", 1);

    private static readonly Option<KeyValuePair<string, string>[]> Config = CommonOptions.Pairs(
        "--config", "Set a configuration; may be repeated. Those that are not named stay as they are.");

    private static readonly Option<string[]> DeleteConfig = new("--delete-config")
    {
        Description = "Return a configuration to the broker's default; may be repeated.",
        HelpName = "KEY",
    };

    public static Command Create() => new OlogCommand(
        "alter",
        "Changes a topic's configuration, or adds partitions.",
        "olog topics alter orders --config retention.ms=604800000",
        "olog topics alter orders --delete-config retention.ms",
        "olog topics alter orders --partitions 6")
    {
        Name, Partitions, Config, DeleteConfig,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var topic = session.Get(Name);
        ConfigChange[] changes =
        [
            .. (session.Get(Config) ?? []).Select(c => ConfigChange.Set(c.Key, c.Value)),
            .. (session.Get(DeleteConfig) ?? []).Select(ConfigChange.Delete),
        ];
        var partitions = session.Get(Partitions);
        if (changes.Length == 0 && partitions is null)
            throw new CommandException("nothing to change: give --partitions, --config or --delete-config.", ExitCode.Usage);
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        await TopicLookup.RequireAsync(admin, [topic], cancellationToken);
        if (changes.Length > 0)
        {
            await admin.AlterConfigsAsync(ConfigResource.Topic(topic), changes, validateOnly: false, cancellationToken);
            session.Out.WriteLine($"Changed {Units.Counted(changes.Length, "configuration")} of topic '{topic}'.");
        }
        if (partitions is not { } count) return;
        await admin.CreatePartitionsAsync(topic, count, cancellationToken);
        session.Out.WriteLine($"Topic '{topic}' has {Units.Counted(count, "partition")} now.");
    }
}
