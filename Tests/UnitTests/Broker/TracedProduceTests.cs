using System.Diagnostics;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Broker;

/// <summary>One trace tells what became of a record, from the client to the last follower.</summary>
public sealed class TracedProduceTests : IAsyncLifetime
{
    private TestCluster _cluster = null!;
    private OrleansLogClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(3);
        _client = new OrleansLogClient(_cluster.BootstrapFrom(new BrokerId(0)));
        await _client.Admin.CreateTopicAsync(new NewTopic("traced", PartitionCount: 1, ReplicationFactor: 3));
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_produce_is_traced_through_the_leader_and_its_followers_to_the_acknowledgement()
    {
        using var spans = new RecordedSpans("OrleansLog.");
        await ProduceAsync(spans, new ProducerOptions());

        var send = Assert.Single(spans.Of("send"));
        var append = Assert.Single(spans.Of("append"));
        Assert.Equal((send.SpanId, ActivityKind.Server), (append.ParentSpanId, append.Kind));
        Assert.Equal(0L, append.GetTagItem("messaging.kafka.offset"));
        var pushes = spans.Of("replicate");
        Assert.Equal(2, pushes.Count);
        // Where a push was under way already, the next one learns from the record whose it is.
        Assert.All(pushes, push => Assert.Contains(push.ParentSpanId, new[] { append.SpanId, send.SpanId }));
        var follows = spans.Of("follow");
        Assert.Equal(pushes.Select(push => push.SpanId).ToHashSet(), follows.Select(follow => follow.ParentSpanId).ToHashSet());
        Assert.Equal(3, follows.Append(append).Select(span => span.GetTagItem("orleanslog.broker.id")).Distinct().Count());
        Assert.All(spans.All, span => Assert.True(span.StartTimeUtc + span.Duration <= send.StartTimeUtc + send.Duration, $"{span.DisplayName} ends after the acknowledgement"));
    }

    [Fact]
    public async Task Compressed_records_are_traced_at_the_client_alone()
    {
        using var spans = new RecordedSpans("OrleansLog.");
        await ProduceAsync(spans, new ProducerOptions { Compression = CompressionType.Gzip });

        Assert.Equal("send traced", Assert.Single(spans.All).DisplayName);
    }

    [Fact]
    public async Task Records_without_a_trace_have_no_spans()
    {
        using var spans = new RecordedSpans("OrleansLog.Broker");
        await ProduceAsync(spans, new ProducerOptions());

        Assert.Empty(spans.All);
    }

    private async Task ProduceAsync(RecordedSpans spans, ProducerOptions options)
    {
        await using var producer = _client.CreateProducer(options);
        using var application = spans.Begin();
        await producer.ProduceAsync("traced", "record"u8);
    }
}
