using System.Diagnostics;
using System.Diagnostics.Metrics;
using OrleansLog.Client.Telemetry;

namespace OrleansLog.Client.Hosting;

/// <summary>What hosted consumers measure, in the meter of the client. Costs nothing while nobody listens.</summary>
internal static class HostedConsumerMetrics
{
    private static readonly Histogram<double> Duration = ClientTelemetry.Meter.CreateHistogram<double>(
        "messaging.process.duration", "s", "How long a record took to be handled, retries and pauses among it.");

    private static readonly Counter<long> Handled = ClientTelemetry.Meter.CreateCounter<long>(
        "orleanslog.consumer.records", "{record}", "Records that have come to an end, by outcome: handled, dead_lettered, abandoned.");

    private static readonly Counter<long> Retries = ClientTelemetry.Meter.CreateCounter<long>(
        "orleanslog.consumer.retries", "{attempt}", "Attempts at records that had failed before.");

    private static readonly UpDownCounter<int> InHand = ClientTelemetry.Meter.CreateUpDownCounter<int>(
        "orleanslog.consumer.in_hand", "{record}", "Records that are being handled now.");

    public static void Begin(string consumer) => InHand.Add(1, new KeyValuePair<string, object?>("consumer", consumer));

    public static void Retry(string consumer) => Retries.Add(1, new KeyValuePair<string, object?>("consumer", consumer));

    public static void End(string consumer, string topic, string outcome, TimeSpan took)
    {
        InHand.Add(-1, new KeyValuePair<string, object?>("consumer", consumer));
        var tags = new TagList { { "consumer", consumer }, { "messaging.destination.name", topic }, { "outcome", outcome } };
        Handled.Add(1, tags);
        Duration.Record(took.TotalSeconds, tags);
    }
}
