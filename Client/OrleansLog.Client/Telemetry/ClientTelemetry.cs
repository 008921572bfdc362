using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansLog.Client.Telemetry;

/// <summary>
/// The client's spans and metrics, by OpenTelemetry's messaging conventions
/// (https://opentelemetry.io/docs/specs/semconv/messaging/kafka/). Nothing is measured while nobody listens.
/// </summary>
internal static class ClientTelemetry
{
    public const string Name = "OrleansLog.Client";

    public static readonly ActivitySource Source = new(Name);
    public static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Sent = Meter.CreateCounter<long>(
        "messaging.client.sent.messages", "{message}", "Records that were acknowledged or given up.");

    public static readonly Counter<long> Consumed = Meter.CreateCounter<long>(
        "messaging.client.consumed.messages", "{message}", "Records that were handed to the application.");

    public static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "messaging.client.operation.duration", "s", "How long a request to a broker took.");

    /// <summary>Measures a request that began at <paramref name="start"/>, if anybody wants to know.</summary>
    public static void Measure(string operation, Protocol.BrokerId broker, TimeProvider time, long start, string? error)
    {
        if (!Duration.Enabled) return;
        var tags = new TagList
        {
            { "messaging.system", "kafka" },
            { "messaging.operation.name", operation },
            { "server.id", broker.Value },
        };
        if (error is not null) tags.Add("error.type", error);
        Duration.Record(time.GetElapsedTime(start).TotalSeconds, tags);
    }

    public static TagList Tags(string operation, string topic, int partition) => new()
    {
        { "messaging.system", "kafka" },
        { "messaging.operation.name", operation },
        { "messaging.destination.name", topic },
        { "messaging.destination.partition.id", partition.ToString(System.Globalization.CultureInfo.InvariantCulture) },
    };
}
