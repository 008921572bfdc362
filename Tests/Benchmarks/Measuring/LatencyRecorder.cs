using System.Diagnostics;

namespace OrleansLog.Benchmarks.Measuring;

/// <summary>Latencies of one run, kept whole and sorted once at the end. Written by one thread.</summary>
internal sealed class LatencyRecorder(int capacity)
{
    private readonly long[] _ticks = new long[capacity];
    private int _count;

    public int Count => _count;

    /// <summary>Adds the time from <paramref name="from"/> to <paramref name="to"/> (Stopwatch ticks); the last are dropped when full.</summary>
    public void Add(long from, long to)
    {
        if (_count < _ticks.Length)
        {
            _ticks[_count++] = to - from;
        }
    }

    /// <summary>The latency in milliseconds that the share <paramref name="quantile"/> (0 to 1) of all stays within.</summary>
    public double Milliseconds(double quantile)
    {
        if (_count == 0)
        {
            return double.NaN;
        }

        Array.Sort(_ticks, 0, _count);
        var rank = Math.Clamp((int)Math.Ceiling(quantile * _count) - 1, 0, _count - 1);
        return _ticks[rank] * 1000.0 / Stopwatch.Frequency;
    }
}
