using System.Diagnostics;
using OrleansLog.Cli.Output;

namespace OrleansLog.Cli.Commands;

/// <summary>Durations, in the stopwatch's ticks, and how they are spread. Any thread adds.</summary>
internal sealed class Percentiles
{
    /// <summary>Beyond so many samples, further ones are left out.</summary>
    private const int SamplesMax = 10_000_000;

    private readonly List<long> _ticks = [];

    public int Count
    {
        get { lock (_ticks) return _ticks.Count; }
    }

    public void AddSince(long startedTicks) => Add(Stopwatch.GetTimestamp() - startedTicks);

    public void Add(long ticks)
    {
        lock (_ticks)
            if (_ticks.Count < SamplesMax) _ticks.Add(ticks);
    }

    /// <summary>For instance <c>p50 0.21 ms, p90 0.30 ms, p99 0.55 ms, p99.9 1.20 ms, max 3.10 ms</c>.</summary>
    public override string ToString()
    {
        lock (_ticks)
        {
            if (_ticks.Count == 0) return "no samples";
            _ticks.Sort();
            return Units.Invariant($"p50 {At(0.5):F2} ms, p90 {At(0.9):F2} ms, p99 {At(0.99):F2} ms, p99.9 {At(0.999):F2} ms, max {At(1):F2} ms");
        }
    }

    // The nearest-rank percentile: the smallest sample that this share of all samples does not exceed.
    private double At(double share)
    {
        var rank = Math.Clamp((int)Math.Ceiling(share * _ticks.Count), 1, _ticks.Count);
        return Stopwatch.GetElapsedTime(0, _ticks[rank - 1]).TotalMilliseconds;
    }
}
