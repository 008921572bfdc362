using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

/// <summary>Reading from a replica of the consumer's own rack (KIP-392): broker 1 leads, broker 2 stands near.</summary>
public sealed class NearReplicaTests : IAsyncDisposable
{
    private const int Leader = 1;
    private const int Near = 2;
    private const int EndOffsetMax = 100;

    private static readonly TopicPartition Zero = new("t", 0);

    private readonly FakeCluster _cluster = new(Leader, Near);
    private readonly ManualClock _clock = new();
    private readonly ClientOptions _options = new();
    private readonly OrleansLogClient _client;

    public NearReplicaTests()
    {
        (_cluster.Racks[Leader], _cluster.Racks[Near]) = ("north", "south");
        _cluster.CreateTopic("t");
        _cluster.Follow("t", 0, Near, EndOffsetMax);
        _client = new OrleansLogClient(_options, _cluster, null, _clock);
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    [Theory]
    [InlineData("south", 17, new[] { Leader, Near })]
    [InlineData("south", 11, new[] { Leader, Near })]
    [InlineData("south", 10, new[] { Leader })]
    [InlineData("west", 17, new[] { Leader })]
    [InlineData(null, 17, new[] { Leader })]
    public async Task The_leader_sends_a_consumer_to_the_replica_of_its_rack(string? rack, short version, int[] fetchedFrom)
    {
        _cluster.VersionMax[ApiKey.Fetch] = version;
        _cluster.Append("t", 0, "a", "b");
        await using var consumer = Assign(rack);
        Assert.Equal(["0:a", "1:b"], await ConsumerReadingTests.ReadAsync(consumer, 2));
        Assert.Equal(fetchedFrom, FetchedFrom().Distinct());
        Assert.Equal(fetchedFrom[^1], FetchedFrom()[^1]);
    }

    [Fact]
    public async Task The_leader_is_asked_again_when_the_metadata_has_reached_its_age()
    {
        _cluster.Append("t", 0, "a");
        await using var consumer = Assign("south");
        await ConsumerReadingTests.ReadAsync(consumer, 1);
        _clock.AdvanceMs(_options.MetadataAgeMsMax);
        var before = FetchedFrom().Length;
        var reading = ConsumerReadingTests.ReadAsync(consumer, 2);
        _cluster.Append("t", 0, "b");
        _cluster.Append("t", 0, "c");
        await _clock.AdvanceUntilAsync(reading, stepMs: 1);
        Assert.Equal(["1:b", "2:c"], await reading);
        Assert.Contains(Leader, FetchedFrom()[before..]);
        Assert.Equal(Near, FetchedFrom()[^1]);
    }

    [Fact]
    public async Task A_near_replica_that_is_gone_is_given_up_for_the_leader()
    {
        _cluster.Append("t", 0, "a", "b");
        _cluster.Disconnect(Near);
        await using var consumer = Assign("south");
        var reading = ConsumerReadingTests.ReadAsync(consumer, 2);
        await _clock.AdvanceUntilAsync(() => FetchedFrom().Length >= 3, stepMs: 10);
        Assert.Equal([Leader], FetchedFrom().Distinct());
        _cluster.Racks.Remove(Near);
        await _clock.AdvanceUntilAsync(reading, stepMs: 100);
        Assert.Equal(["0:a", "1:b"], await reading);
    }

    [Fact]
    public async Task A_leader_that_keeps_naming_a_dead_replica_is_asked_ever_more_slowly()
    {
        _cluster.Append("t", 0, "a");
        _cluster.Disconnect(Near);
        await using var consumer = Assign("south");
        using var stop = new CancellationTokenSource();
        var reading = ConsumerReadingTests.ReadAsync(consumer, 1, stop.Token);
        var start = _clock.GetUtcNow();
        await _clock.AdvanceUntilAsync(() => FetchedFrom().Length >= 6, stepMs: 10);
        var tookMs = (_clock.GetUtcNow() - start).TotalMilliseconds;
        Assert.True(tookMs > 10 * _options.RetryBackoffMs, $"six fetches within {tookMs} ms");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task An_offset_that_the_near_replica_does_not_have_yet_resets_nothing()
    {
        _cluster.Append("t", 0, "a", "b", "c");
        _cluster.Follow("t", 0, Near, 1);
        await using var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest, Rack = "south" });
        consumer.Assign([new TopicPartitionOffset(Zero, new Offset(2))]);
        var reading = ConsumerReadingTests.ReadAsync(consumer, 1);
        await _clock.AdvanceUntilAsync(() => FetchedFrom().Count(broker => broker == Leader) >= 2, stepMs: 10);
        _cluster.Follow("t", 0, Near, EndOffsetMax);
        await _clock.AdvanceUntilAsync(reading, stepMs: 10);
        Assert.Equal(["2:c"], await reading);
    }

    [Fact]
    public async Task A_near_replica_that_left_the_partition_is_given_up_for_the_leader()
    {
        _cluster.Append("t", 0, "a");
        await using var consumer = Assign("south");
        await ConsumerReadingTests.ReadAsync(consumer, 1);
        _cluster.DropFollowers("t", 0);
        var reading = ConsumerReadingTests.ReadAsync(consumer, 1);
        _cluster.Append("t", 0, "b");
        await _clock.AdvanceUntilAsync(reading, stepMs: 10);
        Assert.Equal(["1:b"], await reading);
        Assert.Equal(Leader, FetchedFrom()[^1]);
    }

    private int[] FetchedFrom() => [.. _cluster.RequestsSoFar().Where(request => request.Api == ApiKey.Fetch).Select(request => request.Broker)];

    private Consumer<string, string> Assign(string? rack)
    {
        var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest, Rack = rack });
        consumer.Assign([Zero]);
        return consumer;
    }
}
