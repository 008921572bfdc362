using System.Text;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class ProducerFailureTests : IAsyncDisposable
{
    private readonly FakeCluster _cluster = new(1, 2);
    private readonly ManualClock _clock = new();
    private readonly OrleansLogClient _client;

    public ProducerFailureTests()
    {
        _cluster.CreateTopic("t");
        _client = new OrleansLogClient(new ClientOptions(), _cluster, null, _clock);
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task A_retried_batch_keeps_its_place()
    {
        var producer = await StartAsync();
        _cluster.FailNext(ApiKey.Produce, ErrorCode.NotEnoughReplicas, ErrorCode.NotEnoughReplicas);
        for (var i = 0; i < 5; i++) producer.TryPost("t", Encoding.UTF8.GetBytes($"{i}"));
        Assert.Equal(1, _cluster.Log("t").EndOffset);
        _clock.AdvanceMs(2_000);
        await producer.FlushAsync();
        Assert.Equal(["first", "0", "1", "2", "3", "4"], _cluster.Log("t").Values);
    }

    [Fact]
    public async Task Retries_wait_longer_each_time()
    {
        var producer = await StartAsync();
        _cluster.FailNext(ApiKey.Produce, [.. Enumerable.Repeat(ErrorCode.NotEnoughReplicas, 3)]);
        producer.TryPost("t", "x"u8);
        _clock.AdvanceMs(1);
        Assert.Equal(2, _cluster.Count(ApiKey.Produce));
        _clock.AdvanceMs(60);
        Assert.Equal(3, _cluster.Count(ApiKey.Produce));
        _clock.AdvanceMs(60);
        Assert.Equal(3, _cluster.Count(ApiKey.Produce));
        _clock.AdvanceMs(60);
        Assert.Equal(4, _cluster.Count(ApiKey.Produce));
    }

    [Fact]
    public async Task A_batch_follows_its_partition_to_another_leader()
    {
        var producer = await StartAsync();
        _cluster.Elect("t", 0, leader: 2);
        var delivery = producer.ProduceAsync("t", "x"u8);
        _clock.AdvanceMs(100);
        Assert.Equal(new Offset(1), (await delivery).Offset);
        Assert.Equal(2, _cluster.Requests.Last(request => request.Api == ApiKey.Produce).Broker);
    }

    [Fact]
    public async Task A_refusal_that_cannot_pass_fails_the_record_at_once()
    {
        var producer = await StartAsync();
        _cluster.FailNext(ApiKey.Produce, ErrorCode.TopicAuthorizationFailed);
        var failure = await Assert.ThrowsAsync<OrleansLogException>(async () => await producer.ProduceAsync("t", "x"u8));
        Assert.Equal(ErrorCode.TopicAuthorizationFailed, failure.ErrorCode);
        Assert.Contains("t-0", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_that_nobody_takes_fails_after_the_delivery_timeout()
    {
        var producer = await StartAsync(new ProducerOptions { DeliveryTimeoutMs = 10_000 });
        _cluster.Disconnect(1);
        var delivery = producer.ProduceAsync("t", "x"u8).AsTask();
        await _clock.AdvanceUntilAsync(delivery, stepMs: 500);
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => delivery);
        Assert.True(failure.ErrorCode is ErrorCode.RequestTimedOut or ErrorCode.NetworkException);
    }

    [Fact]
    public async Task A_broker_that_returns_takes_what_waited()
    {
        var producer = await StartAsync();
        _cluster.Disconnect(1);
        var delivery = producer.ProduceAsync("t", "x"u8).AsTask();
        _clock.AdvanceMs(3_000);
        Assert.False(delivery.IsCompleted);
        _cluster.Reconnect(1);
        await _clock.AdvanceUntilAsync(delivery, stepMs: 200);
        Assert.Equal(["first", "x"], _cluster.Log("t").Values);
    }

    [Fact]
    public async Task A_batch_that_is_too_large_is_split_until_it_fits()
    {
        var producer = await StartAsync();
        _cluster.MessageBytesMax = 600;
        _cluster.Hold(ApiKey.Produce);
        var tasks = Enumerable.Range(0, 20).Select(i => producer.ProduceAsync("t", Encoding.UTF8.GetBytes($"{i,100}")).AsTask()).ToList();
        _cluster.Release(ApiKey.Produce);
        var offsets = (await Task.WhenAll(tasks)).Select(metadata => metadata.Offset.Value);
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), offsets);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i,100}"), _cluster.Log("t").Values.Skip(1));
    }

    [Fact]
    public async Task A_single_record_that_is_too_large_fails()
    {
        var producer = await StartAsync();
        _cluster.MessageBytesMax = 600;
        var failure = await Assert.ThrowsAsync<OrleansLogException>(async () => await producer.ProduceAsync("t", new byte[700]));
        Assert.Equal(ErrorCode.MessageTooLarge, failure.ErrorCode);
    }

    [Fact]
    public async Task A_full_buffer_refuses_posts_and_holds_the_others_back_in_order()
    {
        var producer = await StartAsync(new ProducerOptions { BufferBytes = 64 * 1024 });
        _cluster.Hold(ApiKey.Produce);
        var posted = 0;
        while (producer.TryPost("t", new byte[1000])) posted++;
        Assert.InRange(posted, 40, 64);
        var waiting = Enumerable.Range(0, 3).Select(_ => producer.ProduceAsync("t", new byte[1000]).AsTask()).ToList();
        Assert.False(producer.TryPost("t", "z"u8));
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
        _cluster.Release(ApiKey.Produce);
        var offsets = (await Task.WhenAll(waiting)).Select(metadata => metadata.Offset.Value).ToList();
        Assert.Equal([posted + 1, posted + 2, posted + 3], offsets);
    }

    [Fact]
    public async Task Waiting_for_room_ends_with_an_error_that_says_so()
    {
        var producer = await StartAsync(new ProducerOptions { BufferBytes = 32 * 1024, BlockMsMax = 1_000 });
        _cluster.Hold(ApiKey.Produce);
        while (producer.TryPost("t", new byte[1000]))
        {
        }
        var waiting = producer.ProduceAsync("t", new byte[1000]).AsTask();
        await _clock.AdvanceUntilAsync(waiting, stepMs: 1_000);
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => waiting);
        Assert.Equal(ErrorCode.RequestTimedOut, failure.ErrorCode);
        Assert.Contains("BufferBytes", failure.Message, StringComparison.Ordinal);
        _cluster.Release(ApiKey.Produce);
    }

    [Fact]
    public async Task Waiting_for_room_can_be_cancelled()
    {
        var producer = await StartAsync(new ProducerOptions { BufferBytes = 32 * 1024 });
        _cluster.Hold(ApiKey.Produce);
        while (producer.TryPost("t", new byte[1000]))
        {
        }
        using var stop = new CancellationTokenSource();
        var waiting = producer.ProduceAsync("t", new byte[1000], stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _cluster.Release(ApiKey.Produce);
    }

    [Fact]
    public async Task A_topic_that_does_not_exist_is_waited_for_a_while_and_then_named_in_the_error()
    {
        var producer = _client.CreateProducer();
        var delivery = producer.ProduceAsync("nowhere", "x"u8).AsTask();
        await _clock.AdvanceUntilAsync(delivery, stepMs: 500);
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => delivery);
        Assert.Contains("'nowhere'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_record_larger_than_the_buffer_fails_at_once()
    {
        var producer = await StartAsync(new ProducerOptions { BufferBytes = 32 * 1024 });
        var failure = await Assert.ThrowsAsync<OrleansLogException>(async () => await producer.ProduceAsync("t", new byte[40_000]));
        Assert.Equal(ErrorCode.MessageTooLarge, failure.ErrorCode);
    }

    [Fact]
    public async Task A_partition_that_does_not_exist_is_refused()
    {
        var producer = await StartAsync();
        Assert.Throws<OrleansLogException>(() => producer.TryPost("t", new OutgoingRecord { Value = "x"u8, Partition = 1 }));
    }

    private async Task<Producer> StartAsync(ProducerOptions? options = null)
    {
        var producer = _client.CreateProducer(options);
        await producer.ProduceAsync("t", "first"u8);
        return producer;
    }
}
