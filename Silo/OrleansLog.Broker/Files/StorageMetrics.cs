using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansLog.Broker.Files;

/// <summary>What the disk costs, as the meter <c>OrleansLog.Storage</c>. Thread-safe.</summary>
internal static class StorageMetrics
{
    public const string MeterName = "OrleansLog.Storage";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Histogram<double> FlushDuration = Meter.CreateHistogram<double>(
        "orleanslog.storage.flush.duration", "s", "Time that one flush of a file or directory took, without the wait for its turn.");

    private static readonly Counter<long> FlushesFailed = Meter.CreateCounter<long>(
        "orleanslog.storage.flush.failed", "{flush}", "Flushes that the disk refused.");

    private static readonly Counter<long> ScrubbedBytes = Meter.CreateCounter<long>(
        "orleanslog.storage.scrubbed", "By", "Bytes at rest that were read again and checked.");

    public static void Flushed(long startedAt) => FlushDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);

    public static void FlushFailed() => FlushesFailed.Add(1);

    public static void Scrubbed(long bytes)
    {
        if (bytes > 0) ScrubbedBytes.Add(bytes);
    }
}
