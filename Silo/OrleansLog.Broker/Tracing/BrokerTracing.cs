using System.Diagnostics;
using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;

namespace OrleansLog.Broker.Tracing;

/// <summary>
/// The spans of a traced produce: the leader's append until it is as safe as was asked, a push to each follower, and each
/// follower's append. Records that no trace belongs to have none. While nobody listens to the source, the cost is one look
/// at a field. Any thread.
/// </summary>
internal static class BrokerTracing
{
    public const string SourceName = "OrleansLog.Broker";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether anybody listens.</summary>
    public static bool IsOn => Source.HasListeners();

    /// <summary>Begins a span of what a broker does with records, and makes it the current one; null if no trace belongs to them.</summary>
    /// <param name="operation">What is done.</param>
    /// <param name="kind">Whether this broker asks or is asked.</param>
    /// <param name="partition">The records' partition.</param>
    /// <param name="broker">Who does it, or is asked to.</param>
    /// <param name="records">Whole batches.</param>
    public static Activity? Start(string operation, ActivityKind kind, TopicPartition partition, BrokerId broker, ReadOnlySpan<byte> records)
    {
        var parent = ParentFor(records);
        var span = parent == default ? null : Source.StartActivity($"{operation} {partition.Topic}", kind, parent);
        if (span is null) return null;
        span.SetTag("messaging.operation.name", operation);
        span.SetTag("messaging.destination.name", partition.Topic);
        span.SetTag("messaging.destination.partition.id", partition.Partition.ToString(CultureInfo.InvariantCulture));
        span.SetTag("orleanslog.broker.id", broker.Value);
        return span;
    }

    /// <summary>Ends the span of a leader's append with its outcome.</summary>
    public static async Task<ErrorCode> EndAsync(Activity span, Offset baseOffset, Task<ErrorCode> done)
    {
        var error = await done;
        if (error == ErrorCode.None) span.SetTag("messaging.kafka.offset", baseOffset.Value);
        else Fail(span, error.ToString());
        span.Dispose();
        return error;
    }

    /// <summary>Ends the span of a push, or of a follower's append, with the follower's answer.</summary>
    public static void End(Activity? span, AppendReply? reply)
    {
        if (span is null) return;
        if (reply?.Code != AppendCode.Accepted) Fail(span, reply?.Code.ToString() ?? "no answer");
        span.Dispose();
    }

    // What is current belongs to another produce where pushes share their way: the records themselves know better.
    private static ActivityContext ParentFor(ReadOnlySpan<byte> records)
    {
        var own = TraceHeaders.Read(records);
        return Activity.Current is { IsStopped: false } current && (own == default || own.TraceId == current.TraceId) ? current.Context : own;
    }

    private static void Fail(Activity span, string error)
    {
        span.SetTag("error.type", error);
        span.SetStatus(ActivityStatusCode.Error);
    }
}
