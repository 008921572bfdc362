using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics describe</c>.</summary>
internal static class DescribeTopicsCommand
{
    private static readonly Argument<string[]> Topics = new("NAME")
    {
        Description = "The topics to describe.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> AllConfigs = new("--all-configs") { Description = "Also the configurations that are as by default." };

    public static Command Create() => new OlogCommand(
        "describe",
        "Shows partitions, leaders, in-sync replicas, offsets, sizes and the configurations that are set.",
        "olog topics describe orders",
        "olog topics describe orders --all-configs")
    {
        Topics, AllConfigs,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var names = session.Get(Topics);
        await TopicLookup.RequireAsync(admin, names, cancellationToken);
        var sizes = await PartitionSizes.OfClusterAsync(admin, cancellationToken);
        foreach (var name in names)
        {
            var topic = await admin.DescribeTopicAsync(name, cancellationToken);
            var table = await PartitionsAsync(admin, topic, sizes, cancellationToken);
            session.Out.WriteLine($"Topic {topic.Name}, {Units.Counted(topic.Partitions.Count, "partition")}, id {topic.Id}");
            table.WriteTo(session.Terminal);
            await WriteConfigsAsync(session, admin, name, cancellationToken);
            if (name != names[^1]) session.Out.WriteLine();
        }
    }

    private static async Task<TextTable> PartitionsAsync(
        AdminClient admin, TopicDescription topic, PartitionSizes sizes, CancellationToken cancellationToken)
    {
        var ranges = await OffsetRanges.OfAsync(admin, TopicLookup.Choose(topic, []), cancellationToken);
        var table = new TextTable(">PARTITION", ">LEADER", ">EPOCH", "REPLICAS", "IN-SYNC", ">START", ">END", ">RECORDS", ">SIZE");
        foreach (var partition in topic.Partitions)
        {
            var name = new TopicPartition(topic.Name, partition.Partition);
            var (start, end) = ranges.Of(name);
            table.Add(
                $"{partition.Partition}", partition.Leader == BrokerId.None ? "none" : $"{partition.Leader}", $"{partition.LeaderEpoch}",
                Join(partition.Replicas), Join(partition.InSyncReplicas), $"{start}", $"{end}", Units.Count(end - start), Units.Bytes(sizes.Of(name)));
        }
        return table;
    }

    private static async Task WriteConfigsAsync(Session session, AdminClient admin, string topic, CancellationToken cancellationToken)
    {
        var entries = await admin.DescribeConfigsAsync(ConfigResource.Topic(topic), includeDocumentation: false, cancellationToken);
        var shown = entries.Where(e => session.Get(AllConfigs) || e.Source == ConfigSource.Topic).OrderBy(e => e.Name, StringComparer.Ordinal);
        var table = new TextTable("CONFIG", "VALUE", "FROM");
        foreach (var entry in shown) table.Add(entry.Name, entry.Value ?? "", SourceOf(entry));
        if (table.RowCount > 0) table.WriteTo(session.Terminal);
        else session.Out.WriteLine("No configuration is set on it: all as the broker has it.");
    }

    private static string SourceOf(ConfigEntry entry) => entry.Source switch
    {
        ConfigSource.Topic => "topic",
        ConfigSource.DynamicBroker or ConfigSource.DynamicDefaultBroker or ConfigSource.StaticBroker => "broker",
        _ => "default",
    };

    private static string Join(IEnumerable<BrokerId> brokers) => string.Join(',', brokers);
}
