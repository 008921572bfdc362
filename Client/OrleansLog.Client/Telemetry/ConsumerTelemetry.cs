using System.Diagnostics;
using System.Text;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Telemetry;

/// <summary>Spans and metrics of consuming.</summary>
internal static class ConsumerTelemetry
{
    /// <summary>Counts what an application was given of one fetch, and leaves a span of it.</summary>
    public static void CountConsumed(ConsumerOptions options, FetchedBatch batch, long count)
    {
        if (count == 0) return;
        if (ClientTelemetry.Consumed.Enabled)
        {
            var tags = ClientTelemetry.Tags("poll", batch.Partition.Topic, batch.Partition.Partition);
            if (options.GroupId is not null) tags.Add("messaging.consumer.group.name", options.GroupId);
            ClientTelemetry.Consumed.Add(count, tags);
        }
        if (!ClientTelemetry.Source.HasListeners()) return;
        using var activity = ClientTelemetry.Source.StartActivity($"poll {batch.Partition.Topic}", ActivityKind.Client);
        if (activity is null) return;
        foreach (var tag in ClientTelemetry.Tags("poll", batch.Partition.Topic, batch.Partition.Partition)) activity.SetTag(tag.Key, tag.Value);
        activity.SetTag("messaging.operation.type", "receive");
        activity.SetTag("messaging.batch.message_count", count);
        activity.SetTag("messaging.kafka.offset", batch.BaseOffset.Value);
        if (options.GroupId is not null) activity.SetTag("messaging.consumer.group.name", options.GroupId);
    }

    /// <summary>The context that a producer left in a record's headers.</summary>
    public static ActivityContext ContextOf(IReadOnlyList<RecordHeader> headers)
    {
        string? parent = null, state = null;
        DistributedContextPropagator.Current.ExtractTraceIdAndState(headers, static (object? carrier, string name, out string? value, out IEnumerable<string>? values) =>
        {
            values = null;
            value = ((IReadOnlyList<RecordHeader>)carrier!).LastOrDefault(header => header.Key == name).Value is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;
        }, out parent, out state);
        return ActivityContext.TryParse(parent, state, isRemote: true, out var context) ? context : default;
    }
}
