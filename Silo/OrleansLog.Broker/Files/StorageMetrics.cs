using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrleansLog.Storage.Compaction;

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

    private static readonly Counter<long> Compactions = Meter.CreateCounter<long>(
        "orleanslog.storage.compactions", "{pass}", "Passes of compaction over a log.");

    private static readonly Counter<long> CompactedBytes = Meter.CreateCounter<long>(
        "orleanslog.storage.compacted", "By", "Bytes of segments that were rewritten by compaction.");

    private static readonly Counter<long> FreedBytes = Meter.CreateCounter<long>(
        "orleanslog.storage.compaction.freed", "By", "Bytes that compaction has freed.");

    private static readonly Counter<long> RemovedRecords = Meter.CreateCounter<long>(
        "orleanslog.storage.compaction.removed_records", "{record}", "Records that compaction has removed.");

    public static void Compacted(CompactionResult done)
    {
        Compactions.Add(1);
        CompactedBytes.Add(done.BytesBefore);
        FreedBytes.Add(Math.Max(0, done.BytesBefore - done.BytesAfter));
        RemovedRecords.Add(done.RecordsRemoved);
    }

    public static void Flushed(long startedAt) => FlushDuration.Record(Stopwatch.GetElapsedTime(startedAt).TotalSeconds);

    public static void FlushFailed() => FlushesFailed.Add(1);

    public static void Scrubbed(long bytes)
    {
        if (bytes > 0) ScrubbedBytes.Add(bytes);
    }
}
