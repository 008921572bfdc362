using System.Diagnostics;
using System.Globalization;
using OrleansLog.Client.Telemetry;

namespace OrleansLog.Client;

/// <summary>Spans around what an application does with a record.</summary>
public static class ConsumedRecordTracing
{
    /// <summary>
    /// Begins the span of processing one record, as a child of the span that produced it. It is the current one until
    /// it is disposed. Null, at no cost, when nobody listens to the source "OrleansLog.Client".
    /// </summary>
    public static Activity? StartProcessing<TKey, TValue>(this in ConsumedRecord<TKey, TValue> record)
    {
        if (!ClientTelemetry.Source.HasListeners()) return null;
        var activity = ClientTelemetry.Source.StartActivity($"process {record.Topic}", ActivityKind.Consumer, ConsumerTelemetry.ContextOf(record.Headers));
        if (activity is null) return null;
        activity.SetTag("messaging.system", "kafka");
        activity.SetTag("messaging.operation.name", "process");
        activity.SetTag("messaging.operation.type", "process");
        activity.SetTag("messaging.destination.name", record.Topic);
        activity.SetTag("messaging.destination.partition.id", record.Partition.ToString(CultureInfo.InvariantCulture));
        activity.SetTag("messaging.kafka.offset", record.Offset.Value);
        if (record.IsTombstone) activity.SetTag("messaging.kafka.message.tombstone", true);
        return activity;
    }
}
