using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using OrleansLog.Client;
using OrleansLog.ClusterTests.Client;
using OrleansLog.ClusterTests.Support;

namespace OrleansLog.ClusterTests.Streams;

/// <summary>Orleans streams on the log, in a silo that carries its broker.</summary>
public sealed class StreamTests : IAsyncLifetime
{
    private const string Provider = "post";

    // Keeps nothing: whatever is read through this one comes from the log again.
    private const string Forgetful = "forgetful-post";

    private readonly string _stream = Guid.NewGuid().ToString("n");
    private LogSilo _silo = null!;

    public async ValueTask InitializeAsync()
    {
        _silo = new LogSilo(configure: silo => silo
            .AddMemoryGrainStorage("PubSubStore")
            .AddOrleansLogStreams(Provider, options => options.Partitions = 2)
            .AddOrleansLogStreams(Forgetful, options => (options.Partitions, options.CacheBytesMax) = (1, 0)));
        await _silo.StartAsync();
    }

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Explicit_subscribers_get_events_in_their_order()
    {
        await Reader.SubscribeAsync(Provider);
        await PublishAsync(Provider, "letters", 0, 100);

        Assert.Equal(Texts(0, 100), Texts(await Received.TakeAsync(_stream, 100)));
    }

    [Fact]
    public async Task Implicit_subscribers_get_events_in_their_order()
    {
        await PublishAsync(Provider, "parcels", 0, 100);

        Assert.Equal(Texts(0, 100), Texts(await Received.TakeAsync(_stream, 100)));
    }

    [Fact]
    public async Task A_subscription_that_goes_back_further_than_the_cache_gets_every_event_once_and_in_order()
    {
        for (var i = 0; i < 300; i += 10)
        {
            await PublishAsync(Forgetful, "letters", i, 10);
            await StreamOf(Forgetful, "letters", "others").OnNextAsync("noise");
        }
        await Reader.SubscribeAsync(Forgetful, offset: 0);
        await PublishAsync(Forgetful, "letters", 300, 100);

        Assert.Equal(Texts(0, 400), Texts(await Received.TakeAsync(_stream, 400)));
        Assert.False(Received.HasMore(_stream));
    }

    [Fact]
    public async Task A_quiet_stream_is_woken_by_an_empty_batch()
    {
        await PublishAsync(Provider, "letters", 0, 20);
        await _silo.StopAsync();
        await _silo.StartAsync();
        await Reader.SubscribeAsync(Provider, offset: 0);
        await StreamOf(Provider, "letters").OnNextBatchAsync([]);

        Assert.Equal(Texts(0, 20), Texts(await Received.TakeAsync(_stream, 20)));
    }

    [Fact]
    public async Task A_subscription_begins_within_a_batch()
    {
        await Reader.PublishAsync(Forgetful, _stream, Texts(0, 10));
        await Reader.PublishAsync(Forgetful, _stream, Texts(10, 10));
        await Reader.SubscribeAsync(Forgetful, offset: 0, index: 7);
        await Reader.PublishAsync(Forgetful, _stream, Texts(20, 1));

        var seen = await Received.TakeAsync(_stream, 14);
        Assert.Equal(Texts(7, 14), Texts(seen));
        Assert.Equal((0, 7), (seen[0].Offset, seen[0].Index));
    }

    [Fact]
    public async Task What_was_not_delivered_before_a_restart_is_delivered_after_it()
    {
        await PublishAsync(Provider, "parcels", 0, 10);
        Assert.Equal(Texts(0, 10), Texts(await Received.TakeAsync(_stream, 10)));
        Received.Refusing[_stream] = true;
        await PublishAsync(Provider, "parcels", 10, 10);
        await _silo.StopAsync();
        Received.Refusing.TryRemove(_stream, out _);
        await _silo.StartAsync();
        await PublishAsync(Provider, "parcels", 20, 10);

        // At least once: some of the first ten may come again.
        var seen = await TakeUntilAsync("29");
        Assert.Equal(Texts(10, 20), seen.SkipWhile(text => int.Parse(text) < 10));
    }

    [Fact]
    public async Task A_restarted_silo_goes_on_where_it_committed()
    {
        await PublishAsync(Provider, "parcels", 0, 10);
        await Received.TakeAsync(_stream, 10);
        var log = _silo.Services.GetRequiredService<OrleansLogClient>();
        await Eventually.TrueAsync(async () =>
            (await log.Admin.ListGroupOffsetsAsync($"streams-{Provider}")).Sum(position => position.Offset.Value) == 10);
        await _silo.StopAsync();
        await _silo.StartAsync();
        await PublishAsync(Provider, "parcels", 10, 10);

        Assert.Equal(Texts(10, 10), Texts(await Received.TakeAsync(_stream, 10)));
    }

    [Fact]
    public async Task A_client_publishes_and_subscribes()
    {
        await using var application = await _silo.ConnectAsync(more: client => client.AddOrleansLogStreams(Provider, options => options.Partitions = 2));
        var stream = application.Services.GetRequiredKeyedService<IStreamProvider>(Provider).GetStream<object>(StreamId.Create("letters", _stream));
        await stream.OnNextBatchAsync(Texts(0, 5));
        await stream.SubscribeAsync((item, at) =>
        {
            Received.Add(_stream, item, at);
            return Task.CompletedTask;
        }, new EventSequenceTokenV2(0));
        await stream.OnNextBatchAsync(Texts(5, 5));

        Assert.Equal(Texts(0, 10), Texts(await Received.TakeAsync(_stream, 10)));
    }

    [Fact]
    public async Task Records_of_other_producers_are_events_of_bytes()
    {
        await Reader.SubscribeAsync(Provider);
        await Reader.PublishAsync(Provider, _stream, ["first"]);
        await Received.TakeAsync(_stream, 1);
        await using var client = new OrleansLogClient(_silo.Kafka);
        await using var producer = client.CreateProducer<string, string>();
        await producer.ProduceAsync(Provider, new OutgoingRecord<string, string>($"letters/{_stream}", "from elsewhere"));

        var seen = await Received.TakeAsync(_stream, 1);
        Assert.Equal("from elsewhere"u8.ToArray(), Assert.IsType<byte[]>(seen[0].Event));
    }

    private IReaderGrain Reader => _silo.Services.GetRequiredService<IGrainFactory>().GetGrain<IReaderGrain>(_stream);

    private IAsyncStream<object> StreamOf(string provider, string space, string? key = null) =>
        _silo.Services.GetRequiredKeyedService<IStreamProvider>(provider).GetStream<object>(StreamId.Create(space, key ?? _stream));

    private async Task PublishAsync(string provider, string space, int first, int count)
    {
        foreach (var text in Texts(first, count)) await StreamOf(provider, space).OnNextAsync(text);
    }

    private async Task<List<string>> TakeUntilAsync(string last)
    {
        List<string> texts = [];
        while (texts.LastOrDefault() != last) texts.Add((string)(await Received.TakeAsync(_stream, 1))[0].Event);
        return texts;
    }

    private static string[] Texts(int first, int count) => [.. Enumerable.Range(first, count).Select(number => $"{number}")];

    private static IEnumerable<string> Texts(IEnumerable<Seen> seen) => seen.Select(item => (string)item.Event);
}
