using System.Diagnostics.Metrics;

namespace OrleansLog.Broker.Partitions;

/// <summary>What the partitions of this process count, as the meter <c>OrleansLog.Broker</c>. Thread-safe.</summary>
public static class PartitionMetrics
{
    public const string MeterName = "OrleansLog.Broker";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Counter<long> Appends =
        Meter.CreateCounter<long>("orleanslog.broker.appends", "{append}", "Appends to partitions.");

    private static readonly Counter<long> Records =
        Meter.CreateCounter<long>("orleanslog.broker.appended_records", "{record}", "Records appended to partitions.");

    private static readonly Counter<long> Bytes =
        Meter.CreateCounter<long>("orleanslog.broker.appended", "By", "Bytes appended to partitions.");

    internal static void Appended(long records, int bytes)
    {
        Appends.Add(1);
        Records.Add(records);
        Bytes.Add(bytes);
    }
}
