using OrleansLog.Silo.Clustering;

namespace OrleansLog.Silo;

internal static partial class Engines
{
    static partial void AddOrleans(ref StartEngine? start) => start = ClusterEngine.StartAsync;
}
