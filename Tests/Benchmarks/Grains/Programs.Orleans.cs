using System.CommandLine;
using OrleansLog.Benchmarks.Grains;

namespace OrleansLog.Benchmarks;

internal static partial class Programs
{
    static partial void AddOrleans(RootCommand root)
    {
        root.Add(CommandLine.Program("grains", "ours alone: grain calls against the Kafka endpoint of the same silo", OverGrains.Run));
        root.Add(CommandLine.Program("on-a-silo", "ours alone: the Kafka endpoint of a silo against that of the embedded engine", OnASilo.Run));
    }
}
