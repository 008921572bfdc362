using System.Text;
using Microsoft.Extensions.Logging;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class IdempotentProducerTests : IAsyncDisposable
{
    private readonly FakeCluster _cluster = new(1, 2);
    private readonly ManualClock _clock = new();
    private readonly RecordingLogger _logger = new();
    private readonly OrleansLogClient _client;

    public IdempotentProducerTests()
    {
        _cluster.CreateTopic("t");
        _client = new OrleansLogClient(new ClientOptions(), _cluster, new OneLogger(_logger), _clock);
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    private IEnumerable<(long Id, short Epoch, int Sequence)> Numbers =>
        _cluster.Log("t").Headers.Select(header => (header.ProducerId, header.ProducerEpoch, header.BaseSequence));

    [Fact]
    public async Task Records_are_numbered_in_each_partition_by_default()
    {
        _cluster.CreateTopic("two", partitions: 2);
        await using var producer = _client.CreateProducer();
        for (var i = 0; i < 4; i++)
            await producer.ProduceAsync("two", new OutgoingRecord { Value = "x"u8, Partition = i % 2 });
        for (var partition = 0; partition < 2; partition++)
            Assert.Equal([(4001L, 0, 0), (4001L, 0, 1)], _cluster.Log("two", partition).Headers.Select(h => (h.ProducerId, (int)h.ProducerEpoch, h.BaseSequence)));
        Assert.Equal(1, _cluster.Count(ApiKey.InitProducerId));
    }

    [Theory]
    [InlineData(false, Acks.All)]
    [InlineData(true, Acks.Leader)]
    public async Task Records_are_not_numbered_where_that_is_not_wanted_or_means_nothing(bool isEnabled, Acks acks)
    {
        await using var producer = _client.CreateProducer(new ProducerOptions { EnableIdempotence = isEnabled, Acks = acks });
        await producer.ProduceAsync("t", "x"u8);
        Assert.Equal([(-1L, (short)-1, -1)], Numbers);
        Assert.Equal(0, _cluster.Count(ApiKey.InitProducerId));
    }

    [Fact]
    public async Task A_record_whose_answer_was_lost_is_stored_once()
    {
        await using var producer = _client.CreateProducer();
        await producer.ProduceAsync("t", "a"u8);
        _cluster.Log("t").ErrorsAfterAppend.Enqueue(ErrorCode.RequestTimedOut);
        var second = producer.ProduceAsync("t", "b"u8).AsTask();
        await _clock.AdvanceUntilAsync(second, stepMs: 100);
        await producer.ProduceAsync("t", "c"u8);
        Assert.Equal(["a", "b", "c"], _cluster.Log("t").Values);
        Assert.Equal(Offset.None, (await second).Offset);
    }

    [Fact]
    public async Task Batches_in_flight_keep_their_order_when_the_first_of_them_fails()
    {
        await using var producer = _client.CreateProducer(new ProducerOptions { BatchesInFlightPerPartitionMax = 5, BatchBytes = 1 });
        await producer.ProduceAsync("t", "first"u8);
        _cluster.FailNext(ApiKey.Produce, ErrorCode.NotEnoughReplicas);
        var tasks = Enumerable.Range(0, 8).Select(i => producer.ProduceAsync("t", Encoding.UTF8.GetBytes($"{i}")).AsTask()).ToList();
        await _clock.AdvanceUntilAsync(Task.WhenAll(tasks), stepMs: 100);
        Assert.Equal(["first", "0", "1", "2", "3", "4", "5", "6", "7"], _cluster.Log("t").Values);
        Assert.All(Numbers, number => Assert.Equal(0, number.Epoch));
    }

    [Fact]
    public async Task What_a_broker_lost_makes_the_rest_begin_a_new_epoch()
    {
        await using var producer = _client.CreateProducer();
        await producer.ProduceAsync("t", "a"u8);
        await producer.ProduceAsync("t", "b"u8);
        _cluster.Log("t").SetLastSequence(4001, epoch: 0, last: 0);
        var third = producer.ProduceAsync("t", "c"u8).AsTask();
        await _clock.AdvanceUntilAsync(third, stepMs: 100);
        await producer.ProduceAsync("t", "d"u8);
        Assert.Equal(["a", "b", "c", "d"], _cluster.Log("t").Values);
        Assert.Equal([(4001L, (short)0, 0), (4001L, (short)0, 1), (4001L, (short)1, 0), (4001L, (short)1, 1)], Numbers);
    }

    [Fact]
    public async Task What_may_be_stored_already_is_not_numbered_anew()
    {
        await using var producer = _client.CreateProducer(new ProducerOptions { DeliveryTimeoutMs = 5_000 });
        await producer.ProduceAsync("t", "a"u8);
        await producer.ProduceAsync("t", "b"u8);
        _cluster.Log("t").SetLastSequence(4001, epoch: 0, last: 0);
        _cluster.FailNext(ApiKey.Produce, ErrorCode.RequestTimedOut);
        var third = producer.ProduceAsync("t", "c"u8).AsTask();
        await _clock.AdvanceUntilAsync(third, stepMs: 100);
        await Assert.ThrowsAsync<OrleansLogException>(() => third);
        var fourth = producer.ProduceAsync("t", "d"u8).AsTask();
        await _clock.AdvanceUntilAsync(fourth, stepMs: 100);
        Assert.Equal(["a", "b", "d"], _cluster.Log("t").Values);
    }

    [Fact]
    public async Task After_a_record_that_was_refused_for_good_the_next_ones_are_stored()
    {
        await using var producer = _client.CreateProducer();
        await producer.ProduceAsync("t", "a"u8);
        _cluster.FailNext(ApiKey.Produce, ErrorCode.InvalidTimestamp);
        await Assert.ThrowsAsync<OrleansLogException>(async () => await producer.ProduceAsync("t", "refused"u8));
        var third = producer.ProduceAsync("t", "b"u8).AsTask();
        await _clock.AdvanceUntilAsync(third, stepMs: 100);
        Assert.Equal(["a", "b"], _cluster.Log("t").Values);
    }

    [Fact]
    public async Task The_parts_of_a_batch_that_is_too_large_share_its_numbers()
    {
        await using var producer = _client.CreateProducer();
        await producer.ProduceAsync("t", "first"u8);
        _cluster.MessageBytesMax = 600;
        _cluster.Hold(ApiKey.Produce);
        var tasks = Enumerable.Range(0, 20).Select(i => producer.ProduceAsync("t", Encoding.UTF8.GetBytes($"{i,100}")).AsTask()).ToList();
        _cluster.Release(ApiKey.Produce);
        await Task.WhenAll(tasks);
        var next = 0;
        foreach (var header in _cluster.Log("t").Headers)
        {
            Assert.Equal((0, next), (header.ProducerEpoch, header.BaseSequence));
            next = SequenceNumber.Advance(next, header.RecordCount);
        }
        Assert.Equal(21, next);
    }

    [Fact]
    public async Task Brokers_without_producer_ids_are_written_to_without_and_that_is_said()
    {
        _cluster.Unknown.Add(ApiKey.InitProducerId);
        await using var producer = _client.CreateProducer();
        await producer.ProduceAsync("t", "x"u8);
        Assert.Equal([(-1L, (short)-1, -1)], Numbers);
        Assert.Contains(_logger.Entries, entry => entry.Message.Contains("no idempotent producers", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Records_wait_for_a_producer_id_that_is_not_to_be_had_yet()
    {
        _cluster.FailNext(ApiKey.InitProducerId, ErrorCode.CoordinatorLoadInProgress, ErrorCode.CoordinatorNotAvailable);
        await using var producer = _client.CreateProducer();
        var delivery = producer.ProduceAsync("t", "x"u8).AsTask();
        Assert.False(delivery.IsCompleted);
        await _clock.AdvanceUntilAsync(delivery, stepMs: 50);
        Assert.Equal(["x"], _cluster.Log("t").Values);
    }

    private sealed class OneLogger(ILogger logger) : ILoggerFactory
    {
        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose()
        {
        }
    }
}
