using System.CommandLine;
using System.Globalization;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary>The topic that a measurement uses: which, how it is made, and how durable it is.</summary>
internal static class BenchTopic
{
    private const string DefaultName = "olog-bench";

    public static readonly Option<string> Name = new("--topic")
    {
        Description = $"The topic to use ({DefaultName} by default); it is created if it is missing, and stays.",
        HelpName = "NAME",
        DefaultValueFactory = _ => DefaultName,
    };

    public static readonly Option<int?> Partitions = CommonOptions.Int("--partitions", "How many partitions a new topic gets (default 1).", 1);

    public static readonly Option<KeyValuePair<string, string>[]> Config = CommonOptions.Pairs(
        "--config", "A configuration of a new topic, for instance flush.messages=100000 to acknowledge before it is on disk; may be repeated.");

    public static readonly Option<int?> RecordSize = CommonOptions.Int("--record-size", "Bytes of each value (default 100).", 1, 100 * 1024 * 1024);

    public static readonly Option<int?> Seconds = CommonOptions.Int("--seconds", "How long to measure.", 1);

    public const int DefaultRecordSize = 100;

    /// <summary>Makes the topic if it is missing, and says how durable it is.</summary>
    public static async Task<TopicDescription> PrepareAsync(Session session, AdminClient admin, CancellationToken cancellationToken)
    {
        var name = session.Get(Name);
        if (!await TopicLookup.ExistsAsync(admin, name, cancellationToken)) await CreateAsync(session, admin, name, cancellationToken);
        else if (session.Has(Partitions) || session.Has(Config))
            throw new CommandException($"topic '{name}' is there already, so --partitions and --config have no effect; name another --topic, or delete it with 'olog topics delete {name}'.");
        var topic = await admin.DescribeTopicAsync(name, cancellationToken);
        session.Out.WriteLine($"Topic '{name}': {await DurabilityAsync(admin, topic, cancellationToken)}");
        return topic;
    }

    /// <summary>A topic's promise in words: for instance that records are on disk before they are acknowledged.</summary>
    public static async Task<string> DurabilityAsync(AdminClient admin, TopicDescription topic, CancellationToken cancellationToken)
    {
        var configs = (await admin.DescribeConfigsAsync(ConfigResource.Topic(topic.Name), includeDocumentation: false, cancellationToken))
            .ToDictionary(e => e.Name, e => e.Value);
        var flush = configs.GetValueOrDefault("flush.messages") ?? Unknown;
        var replicas = topic.Partitions.Max(p => p.Replicas.Count);
        var when = flush == "1"
            ? "a record is on disk before it is acknowledged (flush.messages=1)"
            : $"a record is acknowledged before it is on disk (flush.messages={Number(flush)}, flush.ms={Number(configs.GetValueOrDefault("flush.ms") ?? Unknown)})";
        return $"{topic.Partitions.Count} partition(s), {replicas} replica(s); {when}.";
    }

    private const string Unknown = "unknown";

    private static string Number(string text) => text == long.MaxValue.ToString(CultureInfo.InvariantCulture) ? "never" : text;

    private static async Task CreateAsync(Session session, AdminClient admin, string name, CancellationToken cancellationToken)
    {
        var topic = new NewTopic(name, session.Get(Partitions) ?? 1) { Configs = (session.Get(Config) ?? []).ToDictionary() };
        await admin.CreateTopicAsync(topic, cancellationToken);
    }
}
