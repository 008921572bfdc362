using System.CommandLine;
using System.Globalization;
using OrleansLog.Cli.Output;
using OrleansLog.Client;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog brokers</c>.</summary>
internal static class BrokersCommand
{
    public static Command Create()
    {
        var command = new OlogCommand(
            "brokers",
            "Lists the brokers: address, controller, partitions led, bytes of log. Its commands empty a broker, or play with failures.",
            "olog brokers",
            "olog brokers decommission 3 --wait",
            "olog brokers kill 2")
        {
            DecommissionCommand.Create(),
        }.Runs(RunAsync);
        foreach (var action in BrokerActionCommand.CreateAll()) command.Add(action);
        return command;
    }

    /// <summary>The id of a broker.</summary>
    public static Argument<int> IdArgument(string description) => new("ID")
    {
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return id;
            result.AddError($"a broker's ID is a whole number from 0, not '{text}'.");
            return 0;
        },
    };

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var (cluster, topics) = await admin.DescribeClusterContentsAsync(cancellationToken);
        var directories = await admin.DescribeLogDirectoriesAsync(cluster.Brokers, cancellationToken);
        var led = topics.SelectMany(topic => topic.Partitions).CountBy(partition => partition.Leader).ToDictionary();
        var table = new TextTable(">BROKER", "ADDRESS", "RACK", "CONTROLLER", ">LEADS", ">LOG", ">FREE");
        foreach (var broker in cluster.Brokers)
        {
            var own = directories.Where(d => d.Broker == broker.Id).ToArray();
            table.Add(
                $"{broker.Id}", $"{broker.Host}:{broker.Port}", broker.Rack ?? "-", broker.Id == cluster.Controller ? "yes" : "no",
                Units.Count(led.GetValueOrDefault(broker.Id)), Units.Bytes(own.Sum(d => d.Partitions.Sum(p => p.SizeInBytes))), FreeOf(own));
        }
        table.WriteTo(session.Terminal);
    }

    private static string FreeOf(LogDirectory[] directories) =>
        directories.Length > 0 && directories.All(d => d.UsableBytes >= 0) ? Units.Bytes(directories.Sum(d => d.UsableBytes)) : "-";
}
