using System.Diagnostics.Metrics;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Kafka;

/// <summary>What the Kafka endpoints of this process count, as the meter <c>OrleansLog.Kafka</c>. Thread-safe.</summary>
public static class KafkaMetrics
{
    public const string MeterName = "OrleansLog.Kafka";

    private static readonly Meter Meter = new(MeterName);

    private static readonly UpDownCounter<int> Connections =
        Meter.CreateUpDownCounter<int>("orleanslog.kafka.connections", "{connection}", "Client connections that are open.");

    private static readonly Counter<long> Requests =
        Meter.CreateCounter<long>("orleanslog.kafka.requests", "{request}", "Requests taken, by API.");

    private static readonly Counter<long> BytesReceived =
        Meter.CreateCounter<long>("orleanslog.kafka.received", "By", "Bytes received from clients.");

    private static readonly Counter<long> BytesSent =
        Meter.CreateCounter<long>("orleanslog.kafka.sent", "By", "Bytes sent to clients.");

    // Tag values are boxed once: a request must not pay for being counted.
    private static readonly KeyValuePair<string, object?>[] ApiTags =
        [.. Enumerable.Range(0, 128).Select(key => new KeyValuePair<string, object?>("api", ((ApiKey)key).ToString()))];

    internal static void Opened() => Connections.Add(1);

    internal static void Closed() => Connections.Add(-1);

    internal static void Received(int bytes) => BytesReceived.Add(bytes);

    internal static void Sent(long bytes) => BytesSent.Add(bytes);

    internal static void Taken(ApiKey api)
    {
        if ((uint)api < (uint)ApiTags.Length)
            Requests.Add(1, ApiTags[(int)api]);
    }
}
