using System.CommandLine;
using OrleansLog.Cli.Output;
using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog brokers</c>.</summary>
internal static class BrokersCommand
{
    public static Command Create() => new OlogCommand(
        "brokers",
        "Lists the brokers: address, controller, partitions led, bytes of log.",
        "olog brokers",
        "olog brokers --bootstrap 192.0.2.7:9092")
        .Runs(RunAsync);

    private static async Task RunAsync(Session session, CancellationToken cancellationToken)
    {
        var admin = (await session.ConnectAsync(cancellationToken)).Admin;
        var cluster = await admin.DescribeClusterAsync(cancellationToken);
        var directories = await admin.DescribeLogDirectoriesAsync(cancellationToken);
        var led = await PartitionsLedAsync(admin, cancellationToken);
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

    private static async Task<Dictionary<BrokerId, int>> PartitionsLedAsync(AdminClient admin, CancellationToken cancellationToken)
    {
        var led = new Dictionary<BrokerId, int>();
        foreach (var topic in await admin.ListTopicsAsync(includeInternal: true, cancellationToken))
        {
            var description = await admin.DescribeTopicAsync(topic.Name, cancellationToken);
            foreach (var partition in description.Partitions) led[partition.Leader] = led.GetValueOrDefault(partition.Leader) + 1;
        }
        return led;
    }

    private static string FreeOf(LogDirectory[] directories) =>
        directories.Length > 0 && directories.All(d => d.UsableBytes >= 0) ? Units.Bytes(directories.Sum(d => d.UsableBytes)) : "-";
}
