using Orleans.Hosting;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.UnitTests.Metadata;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.ClusterTests.Client;

/// <summary>Over grains, the spans of a produce and those of the calls that carry it are one trace.</summary>
public sealed class TracedGrainsTests(Azurite azurite) : IAsyncLifetime
{
    private const int Brokers = 3;

    private readonly List<LogSilo> _silos = [];

    public async ValueTask InitializeAsync()
    {
        var cluster = $"traces-{Guid.NewGuid():n}";
        for (var id = 0; id < Brokers; id++)
        {
            _silos.Add(new LogSilo(id, cluster, azurite.ConnectionString, silo => silo.AddActivityPropagation()));
            await _silos[id].StartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in _silos) await silo.DisposeAsync();
    }

    [Fact]
    public async Task A_produce_is_traced_through_the_calls_to_the_leader_and_its_followers()
    {
        await using var application = await _silos[0].ConnectAsync(more: client => client.AddActivityPropagation());
        await application.Log.Admin.CreateTopicAsync(new NewTopic("traced", PartitionCount: 1, ReplicationFactor: Brokers));
        await using var producer = application.Log.CreateProducer();
        await producer.ProduceAsync("traced", "before"u8);
        using var spans = new RecordedSpans("OrleansLog.", "Microsoft.Orleans.");
        using (spans.Begin()) await producer.ProduceAsync("traced", "record"u8);

        var send = Assert.Single(spans.Of("send"));
        var append = Assert.Single(spans.Of("append"));
        Assert.Equal(1L, append.GetTagItem("messaging.kafka.offset"));
        Assert.Equal(Brokers - 1, spans.Of("replicate").Count);
        Assert.Equal(Brokers - 1, spans.Of("follow").Count);
        Assert.Contains(spans.All, span => span.Source.Name == "Microsoft.Orleans.Runtime" && span.DisplayName.Contains("IConnectionGrain", StringComparison.Ordinal));
        var calls = spans.All.Where(span => span.DisplayName.Contains("IFollowerGrain", StringComparison.Ordinal)).Select(span => span.SpanId).ToHashSet();
        Assert.All(spans.Of("follow"), follow => Assert.Contains(follow.ParentSpanId, calls));
    }
}
