using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog topics create</c>.</summary>
internal static class CreateTopicCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "Its name: letters, digits, dots, underscores and dashes." };

    private static readonly Option<int?> Partitions = CommonOptions.Int("--partitions", "How many partitions; the broker's default if not given.", 1);

    private static readonly Option<int?> ReplicationFactor = CommonOptions.Int(
        "--replication-factor", "How many brokers hold each partition; the broker's default if not given.", 1, short.MaxValue);

    private static readonly Option<KeyValuePair<string, string>[]> Config = CommonOptions.Pairs(
        "--config", "A topic configuration by Kafka's name; may be repeated.");

    private static readonly Option<bool> IfMissing = new("--if-missing") { Description = "Succeed when the topic is there already." };

    public static Command Create() => new OlogCommand(
        "create",
        "Creates a topic.",
        "olog topics create orders",
        "olog topics create clicks --partitions 6 --config retention.ms=86400000",
        "olog topics create scratch --config flush.messages=100000   # faster: acknowledged before it is on disk")
    {
        Name, Partitions, ReplicationFactor, Config, IfMissing,
    }.Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var topic = new NewTopic(session.Get(Name), session.Get(Partitions) ?? -1, (short)(session.Get(ReplicationFactor) ?? -1))
        {
            Configs = (session.Get(Config) ?? []).ToDictionary(),
        };
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        try
        {
            await admin.CreateTopicAsync(topic, cancellationToken);
        }
        catch (OrleansLogException e) when (e.ErrorCode == Protocol.ErrorCode.TopicAlreadyExists && session.Get(IfMissing))
        {
            session.Out.WriteLine($"Topic '{topic.Name}' is there already.");
            return;
        }
        var made = await admin.DescribeTopicAsync(topic.Name, cancellationToken);
        session.Out.WriteLine($"Created topic '{made.Name}' with {Units.Counted(made.Partitions.Count, "partition")}.");
    }
}
