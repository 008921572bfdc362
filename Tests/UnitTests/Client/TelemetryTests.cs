using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Listeners see the whole process, so each test looks at its own topic alone.</summary>
public sealed class TelemetryTests : IAsyncDisposable
{
    private readonly string _topic = $"traced-{Guid.NewGuid():N}";
    private readonly List<Activity> _stopped = [];
    private readonly ActivityListener _listener;
    private readonly FakeCluster _cluster = new();
    private readonly OrleansLogClient _client;

    public TelemetryTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "OrleansLog.Client",
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Name.EndsWith(_topic, StringComparison.Ordinal) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = activity =>
            {
                if (!activity.OperationName.EndsWith(_topic, StringComparison.Ordinal)) return;
                lock (_stopped) _stopped.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
        _cluster.CreateTopic(_topic);
        _client = new OrleansLogClient(new ClientOptions(), _cluster, null, new ManualClock());
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _client.DisposeAsync();
    }

    [Fact]
    public async Task A_record_carries_the_context_of_its_span_to_whoever_processes_it()
    {
        await using var producer = _client.CreateProducer<string, string>();
        await producer.ProduceAsync(_topic, "k", "v");
        await using var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartition(_topic, 0)]);
        await foreach (var record in consumer.ConsumeAsync())
        {
            Assert.Contains(record.Headers, header => header.Key == "traceparent");
            using var processing = record.StartProcessing();
            var sent = Assert.Single(_stopped);
            Assert.Equal((sent.TraceId, sent.SpanId), (processing!.TraceId, processing.ParentSpanId));
            break;
        }
    }

    [Fact]
    public async Task The_span_of_a_record_says_where_it_went()
    {
        await using var producer = _client.CreateProducer<string, string>();
        await producer.ProduceAsync(_topic, "k", "v");
        var span = Assert.Single(_stopped);
        Assert.Equal(($"send {_topic}", ActivityKind.Producer, ActivityStatusCode.Unset), (span.DisplayName, span.Kind, span.Status));
        Assert.Equal(
            ["kafka", "send", _topic, "0", "k", 0L],
            new[] { "messaging.system", "messaging.operation.name", "messaging.destination.name", "messaging.destination.partition.id", "messaging.kafka.message.key", "messaging.kafka.offset" }
                .Select(span.GetTagItem));
    }

    [Fact]
    public async Task The_span_of_a_refused_record_says_why()
    {
        await using var producer = _client.CreateProducer<string, string>();
        _cluster.FailNext(ApiKey.Produce, ErrorCode.InvalidRecord);
        await Assert.ThrowsAsync<OrleansLogException>(async () => await producer.ProduceAsync(_topic, "k", "v"));
        var span = Assert.Single(_stopped);
        Assert.Equal((ActivityStatusCode.Error, nameof(ErrorCode.InvalidRecord)), (span.Status, span.GetTagItem("error.type")));
    }

    [Fact]
    public async Task Sent_and_consumed_records_are_counted()
    {
        var counts = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "OrleansLog.Client") self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (!tags.ToArray().Contains(new KeyValuePair<string, object?>("messaging.destination.name", _topic))) return;
            lock (counts) counts[instrument.Name] = counts.GetValueOrDefault(instrument.Name) + value;
        });
        listener.Start();
        await using var producer = _client.CreateProducer();
        for (var i = 0; i < 3; i++) await producer.ProduceAsync(_topic, Encoding.UTF8.GetBytes("x"));
        await using var consumer = _client.CreateConsumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartition(_topic, 0)]);
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            if (batch.NextOffset == new Offset(3)) break;
        }
        Assert.Equal(3, counts["messaging.client.sent.messages"]);
        Assert.Equal(3, counts["messaging.client.consumed.messages"]);
    }
}
