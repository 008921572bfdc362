using System.Diagnostics.Metrics;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker;

/// <summary>
/// What brokers hold, as the meter <c>OrleansLog.Broker</c>. Asked for when somebody looks; costs nothing between.
/// Thread-safe. Dispose it before the brokers.
/// </summary>
public sealed class BrokerMetrics : IDisposable
{
    public const string MeterName = "OrleansLog.Broker";

    private readonly Meter _meter = new(MeterName);
    private readonly Func<IEnumerable<Broker>> _brokers;

    /// <param name="brokers">The brokers that run when somebody looks.</param>
    public BrokerMetrics(Func<IEnumerable<Broker>> brokers)
    {
        _brokers = brokers;
        _meter.CreateObservableGauge("orleanslog.partitions", () => PerBroker(p => p.IsLeader), "{partition}", "Partitions led here.");
        _meter.CreateObservableGauge("orleanslog.replicas", () => PerBroker(_ => true), "{replica}", "Replicas kept here, leading or following.");
        _meter.CreateObservableGauge(
            "orleanslog.partitions.under_replicated", () => PerBroker(IsUnderReplicated), "{partition}",
            "Partitions led here whose in-sync set lacks a replica.");
        _meter.CreateObservableGauge(
            "orleanslog.partitions.failed", () => PerBroker(p => p.Log.Failure is not null), "{partition}",
            "Partitions that take no more records because their files failed.");
        PerPartition("orleanslog.log.size", "By", "Bytes of segments on disk.", p => p.Log.SizeInBytes);
        PerPartition("orleanslog.log.start_offset", "{offset}", "First offset still there.", p => (p.LogStartOffset ?? p.Log.LogStartOffset).Value);
        PerPartition("orleanslog.log.end_offset", "{offset}", "Offset that the next record gets.", p => p.Log.LogEndOffset.Value);
        PerPartition("orleanslog.log.high_watermark", "{offset}", "Offset below which consumers may read.", p => p.HighWatermark.Value);
        PerPartition("orleanslog.log.flushed_offset", "{offset}", "Offset below which everything is on disk.", p => p.Log.FlushedOffset.Value);
        PerCompactedPartition("orleanslog.log.dirty", "By", "Bytes of segments that can be compacted and were not yet.", DirtyBytes);
        PerCompactedPartition("orleanslog.log.compacted_offset", "{offset}", "Offset below which only the last record of each key is left.", p => p.Log.CompactedBefore.Value);
        PerTieredPartition("orleanslog.remote.size", "By", "Bytes of segments in remote storage.", (_, tier) => tier.Manifest?.SizeInBytes ?? 0);
        PerTieredPartition("orleanslog.remote.end_offset", "{offset}", "Offset below which everything is in remote storage.", (_, tier) => Math.Max(0, tier.TieredEnd.Value));
        PerTieredPartition(
            "orleanslog.remote.lag", "{record}", "Committed records that are on the brokers' disks only.",
            (partition, tier) => partition.HighWatermark - Offset.Max(Offset.Max(tier.TieredEnd, Offset.Zero), partition.Log.LogStartOffset));
    }

    public void Dispose() => _meter.Dispose();

    private void PerTieredPartition(string name, string unit, string description, Func<Partition, TieredLog, long> value) => _meter.CreateObservableGauge(
        name,
        () => _brokers().SelectMany(b => b.Partitions.All.Where(p => p.Tier is not null).Select(p => new Measurement<long>(
            p.Tier is { } tier ? value(p, tier) : 0, new("broker", b.Id.Value), new("topic", p.Id.Topic), new("partition", p.Id.Partition)))),
        unit,
        description);

    private void PerCompactedPartition(string name, string unit, string description, Func<Partition, long> value) =>
        PerPartition(name, unit, description, value, static partition => partition.Log.Options.Compaction is not null);

    private void PerPartition(
        string name, string unit, string description, Func<Partition, long> value, Func<Partition, bool>? only = null) => _meter.CreateObservableGauge(
        name,
        () => _brokers().SelectMany(b => b.Partitions.All.Where(p => only?.Invoke(p) ?? true).Select(p => new Measurement<long>(
            value(p), new("broker", b.Id.Value), new("topic", p.Id.Topic), new("partition", p.Id.Partition)))),
        unit,
        description);

    private static long DirtyBytes(Partition partition)
    {
        try
        {
            return partition.Log.CompactionBacklog(partition.HighWatermark).DirtyBytes;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It is being closed, or its disk fails, which others report.
            return 0;
        }
    }

    private static bool IsUnderReplicated(Partition partition) => partition.Record is { } record && record.InSync.Length < record.Replicas.Length;

    private IEnumerable<Measurement<int>> PerBroker(Func<Partition, bool> counts) =>
        _brokers().Select(b => new Measurement<int>(b.Partitions.All.Count(counts), new KeyValuePair<string, object?>("broker", b.Id.Value)));
}
