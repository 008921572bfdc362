using System.Diagnostics;
using System.Globalization;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Telemetry;

/// <summary>Spans and metrics of producing. The context of a record's span travels in its headers (W3C trace context).</summary>
internal static class ProducerTelemetry
{
    public static bool IsTraced => ClientTelemetry.Source.HasListeners();

    /// <summary>Begins the span of one record; null if nobody wants it.</summary>
    /// <param name="operation"><c>send</c> if its delivery is awaited, else <c>create</c>.</param>
    public static Activity? Begin(string operation, TopicPartition partition, in OutgoingRecord record)
    {
        // The span ends when the broker answers, long after the caller has gone on: it must not stay the current one.
        var current = Activity.Current;
        var activity = ClientTelemetry.Source.StartActivity($"{operation} {partition.Topic}", ActivityKind.Producer);
        Activity.Current = current;
        if (activity is null) return null;
        activity.SetTag("messaging.system", "kafka");
        activity.SetTag("messaging.operation.name", operation);
        activity.SetTag("messaging.operation.type", operation);
        activity.SetTag("messaging.destination.name", partition.Topic);
        activity.SetTag("messaging.destination.partition.id", partition.Partition.ToString(CultureInfo.InvariantCulture));
        activity.SetTag("messaging.message.body.size", record.Value.Length);
        if (record.HasKey) activity.SetTag("messaging.kafka.message.key", Encoding.UTF8.GetString(record.Key));
        if (record.IsTombstone) activity.SetTag("messaging.kafka.message.tombstone", true);
        return activity;
    }

    /// <summary>The record's headers with the span's context in front.</summary>
    public static RecordHeader[] Inject(Activity activity, ReadOnlySpan<RecordHeader> headers)
    {
        List<RecordHeader> all = [];
        DistributedContextPropagator.Current.Inject(activity, all, static (carrier, name, value) =>
            ((List<RecordHeader>)carrier!).Add(new RecordHeader(name, Encoding.UTF8.GetBytes(value))));
        all.AddRange(headers);
        return [.. all];
    }

    public static void End(Activity activity, Offset offset, OrleansLogException? error)
    {
        if (offset != Offset.None) activity.SetTag("messaging.kafka.offset", offset.Value);
        if (error is not null)
        {
            activity.SetStatus(ActivityStatusCode.Error, error.Message);
            activity.SetTag("error.type", error.ErrorCode.ToString());
        }
        var current = Activity.Current;
        activity.Dispose();
        Activity.Current = current;
    }

    public static void CountSent(in DeliveryReport report)
    {
        if (!ClientTelemetry.Sent.Enabled) return;
        var tags = ClientTelemetry.Tags("send", report.Partition.Topic, report.Partition.Partition);
        if (report.Error is not null) tags.Add("error.type", report.Error.ErrorCode.ToString());
        ClientTelemetry.Sent.Add(report.RecordCount, tags);
    }
}
