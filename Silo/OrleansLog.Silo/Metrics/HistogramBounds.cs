using System.Diagnostics.Metrics;

namespace OrleansLog.Silo.Metrics;

/// <summary>The upper bounds of a histogram's buckets: what the instrument advises, else fixed ones for its unit.</summary>
internal static class HistogramBounds
{
    /// <summary>50 µs to 30 s: from one flush to a long poll that waits as long as it may.</summary>
    private static readonly double[] Seconds =
        [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    /// <summary>64 B to 256 MiB in steps of four.</summary>
    private static readonly double[] Powers = [.. Enumerable.Range(3, 12).Select(i => Math.Pow(4, i))];

    public static double[] For(Instrument instrument) =>
        Advised(instrument) is { Count: > 0 } advised ? [.. advised.Order()]
        : instrument.Unit is "s" ? Seconds
        : instrument.Unit is "ms" ? [.. Seconds.Select(s => s * 1000)]
        : Powers;

    private static IReadOnlyList<double>? Advised(Instrument instrument) => instrument switch
    {
        Instrument<double> i => i.Advice?.HistogramBucketBoundaries,
        Instrument<long> i => i.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToList(),
        Instrument<int> i => i.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToList(),
        _ => null,
    };
}
