using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog groups config</c>.</summary>
internal static class ConfigureGroupCommand
{
    private static readonly Argument<string> Name = new("GROUP") { Description = "The group; it need not exist yet." };

    private static readonly Option<KeyValuePair<string, string>[]> Config = CommonOptions.Pairs(
        "--config", "Set a configuration; may be repeated. Those that are not named stay as they are.");

    private static readonly Option<string[]> DeleteConfig = new("--delete-config")
    {
        Description = "Return a configuration to the brokers' default; may be repeated.",
        HelpName = "KEY",
    };

    public static Command Create() => new OlogCommand(
        "config",
        "Shows how a group is served, and changes it: sessions and heartbeats of consumer groups (KIP-848) and share groups, where a share group begins, its locks.",
        "olog groups config kitchen",
        "olog groups config kitchen --config consumer.session.timeout.ms=60000",
        "olog groups config mailers --config share.auto.offset.reset=earliest --delete-config share.record.lock.duration.ms")
    {
        Name, Config, DeleteConfig,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var group = new ConfigResource(ConfigResourceType.Group, session.Get(Name));
        ConfigChange[] changes =
        [
            .. (session.Get(Config) ?? []).Select(c => ConfigChange.Set(c.Key, c.Value)),
            .. (session.Get(DeleteConfig) ?? []).Select(ConfigChange.Delete),
        ];
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        if (changes.Length > 0)
        {
            await admin.AlterConfigsAsync(group, changes, validateOnly: false, cancellationToken);
            session.Out.WriteLine($"Changed {Units.Counted(changes.Length, "configuration")} of group '{group.Name}'.");
            return;
        }
        var table = new TextTable("CONFIG", "VALUE", "FROM");
        foreach (var entry in (await admin.DescribeConfigsAsync(group, includeDocumentation: false, cancellationToken)).OrderBy(each => each.Name, StringComparer.Ordinal))
            table.Add(entry.Name, entry.Value ?? "", SourceOf(entry));
        table.WriteTo(session.Terminal);
    }

    private static string SourceOf(ConfigEntry entry) => entry.Source switch
    {
        ConfigSource.Group => "group",
        ConfigSource.DynamicBroker or ConfigSource.DynamicDefaultBroker or ConfigSource.StaticBroker => "broker",
        _ => "default",
    };
}
