using System.CommandLine;

namespace OrleansLog.Cli.Commands;

/// <summary><c>olog bench</c>.</summary>
internal static class BenchCommand
{
    public static Command Create() => new OlogCommand(
        "bench",
        "Measures how fast this cluster takes records, gives them back, and carries one from end to end.\n"
        + "Each says how durable the topic is that it writes to, since that decides the figures.",
        "olog bench produce --records 5000000",
        "olog bench consume",
        "olog bench latency --rate 1000 --seconds 10")
    {
        BenchProduceCommand.Create(),
        BenchConsumeCommand.Create(),
        BenchLatencyCommand.Create(),
    };
}
