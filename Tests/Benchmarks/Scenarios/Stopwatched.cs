using System.Diagnostics;
using OrleansLog.Benchmarks.Measuring;
using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks.Scenarios;

/// <summary>Runs a piece of work between two readings of the clock and of both sides' CPU time.</summary>
internal static class Stopwatched
{
    /// <summary><paramref name="work"/> returns how many records it moved.</summary>
    public static Measurement Run(RunningBroker broker, Func<long> work)
    {
        var brokerBefore = ProcessUsage.Of(broker.ProcessIds);
        var clientBefore = ProcessUsage.OfSelf();
        var watch = Stopwatch.StartNew();
        var records = work();
        var seconds = watch.Elapsed.TotalSeconds;
        var brokerCpu = ProcessUsage.Of(broker.ProcessIds).CpuSeconds - brokerBefore.CpuSeconds;
        var clientCpu = ProcessUsage.OfSelf().CpuSeconds - clientBefore.CpuSeconds;
        return new Measurement(
            broker.Name, broker.IsOurs, records, seconds, broker.ProcessIds.Count == 0 ? double.NaN : brokerCpu, clientCpu);
    }

    /// <summary>Runs <paramref name="work"/> on as many threads as connections, and adds up what they return.</summary>
    public static long InParallel(int connections, Func<int, long> work)
    {
        if (connections == 1)
        {
            return work(0);
        }

        var results = new long[connections];
        var threads = Enumerable.Range(0, connections).Select(i => new Thread(() => results[i] = work(i))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return results.Sum();
    }
}
