using System.CommandLine;
using OrleansLog.Benchmarks.Grains;

namespace OrleansLog.Benchmarks;

internal static partial class Programs
{
    static partial void AddOrleans(RootCommand root) =>
        root.Add(CommandLine.Program("grains", "ours alone: grain calls against the Kafka endpoint of the same silo", OverGrains.Run));
}
