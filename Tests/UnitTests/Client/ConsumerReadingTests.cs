using System.Text;
using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class ConsumerReadingTests : IAsyncDisposable
{
    private static readonly TopicPartition Zero = new("t", 0);

    private readonly FakeCluster _cluster = new(1, 2);
    private readonly ManualClock _clock = new();
    private readonly OrleansLogClient _client;

    public ConsumerReadingTests()
    {
        _cluster.CreateTopic("t");
        _client = new OrleansLogClient(new ClientOptions(), _cluster, null, _clock);
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    [Fact]
    public async Task Records_come_in_order_from_the_beginning()
    {
        _cluster.Append("t", 0, "a", "b", "c");
        await using var consumer = Assign();
        Assert.Equal(["0:a", "1:b", "2:c"], await ReadAsync(consumer, 3));
        Assert.Equal(new Offset(3), consumer.Position(Zero));
    }

    [Fact]
    public async Task The_latest_offset_skips_what_is_there()
    {
        _cluster.Append("t", 0, "old");
        await using var consumer = Assign(new ConsumerOptions { OffsetReset = OffsetReset.Latest });
        var reading = ReadAsync(consumer, 1);
        Assert.False(reading.IsCompleted);
        _cluster.Append("t", 0, "new");
        Assert.Equal(["1:new"], await reading);
    }

    [Fact]
    public async Task Reading_goes_on_where_it_was_broken_off()
    {
        _cluster.AppendBatch("t", 0, ClientRecords.Build("a", "b", "c", "d"));
        await using var consumer = Assign();
        Assert.Equal(["0:a", "1:b"], await ReadAsync(consumer, 2));
        Assert.Equal(["2:c", "3:d"], await ReadAsync(consumer, 2));
    }

    [Fact]
    public async Task Seeking_back_reads_again_and_drops_what_was_fetched_ahead()
    {
        _cluster.AppendBatch("t", 0, ClientRecords.Build("a", "b", "c"));
        _cluster.Append("t", 0, "d");
        await using var consumer = Assign();
        Assert.Equal(["0:a", "1:b"], await ReadAsync(consumer, 2));
        consumer.Seek(Zero, new Offset(1));
        Assert.Equal(["1:b", "2:c", "3:d"], await ReadAsync(consumer, 3));
    }

    [Fact]
    public async Task Seeking_to_an_end_goes_there()
    {
        _cluster.Append("t", 0, "a", "b");
        await using var consumer = Assign();
        await ReadAsync(consumer, 1);
        consumer.SeekToEnd(Zero);
        var reading = ReadAsync(consumer, 1);
        _cluster.Append("t", 0, "c");
        Assert.Equal(["2:c"], await reading);
        consumer.SeekToBeginning(Zero);
        Assert.Equal(["0:a"], await ReadAsync(consumer, 1));
    }

    [Fact]
    public async Task Seeking_to_a_time_finds_the_first_record_at_or_after_it()
    {
        foreach (var second in new[] { 10, 20, 30 }) _cluster.AppendBatch("t", 0, ClientRecords.BuildAt(second * 1000, $"at {second}"));
        await using var consumer = Assign();
        await consumer.SeekToTimestampAsync(DateTimeOffset.FromUnixTimeSeconds(15));
        Assert.Equal(["1:at 20"], await ReadAsync(consumer, 1));
    }

    [Fact]
    public async Task A_paused_partition_is_silent_until_it_is_resumed()
    {
        _cluster.CreateTopic("two", 2);
        _cluster.Append("two", 0, "a", "b");
        await using var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartition("two", 0), new TopicPartition("two", 1)]);
        Assert.Equal(["0:a"], await ReadAsync(consumer, 1));
        consumer.Pause(new TopicPartition("two", 0));
        _cluster.Append("two", 1, "other");
        Assert.Equal(["0:other"], await ReadAsync(consumer, 1));
        consumer.Resume(new TopicPartition("two", 0));
        Assert.Equal(["1:b"], await ReadAsync(consumer, 1));
    }

    [Fact]
    public async Task A_position_that_was_deleted_is_reset_as_the_options_say()
    {
        _cluster.Append("t", 0, "a", "b", "c");
        _cluster.Log("t").DeleteBefore(2);
        await using var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartitionOffset(Zero, Offset.Zero)]);
        Assert.Equal(["2:c"], await ReadAsync(consumer, 1));
    }

    [Fact]
    public async Task Without_a_reset_a_lost_position_is_an_error()
    {
        _cluster.Append("t", 0, "a", "b");
        _cluster.Log("t").DeleteBefore(1);
        await using var consumer = _client.CreateConsumer<string, string>(new ConsumerOptions { OffsetReset = OffsetReset.None });
        consumer.Assign([new TopicPartitionOffset(Zero, Offset.Zero)]);
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => ReadAsync(consumer, 1));
        Assert.Equal(ErrorCode.OffsetOutOfRange, failure.ErrorCode);
    }

    [Fact]
    public async Task A_damaged_batch_is_never_handed_out()
    {
        _cluster.Append("t", 0, "good", "bad");
        _cluster.Log("t").Damage();
        await using var consumer = Assign();
        Assert.Equal(["0:good"], await ReadAsync(consumer, 1));
        var failure = await Assert.ThrowsAsync<OrleansLogException>(() => ReadAsync(consumer, 1));
        Assert.Equal(ErrorCode.CorruptMessage, failure.ErrorCode);
        Assert.Contains("offset 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetching_follows_the_leader()
    {
        _cluster.Append("t", 0, "a");
        await using var consumer = Assign();
        await ReadAsync(consumer, 1);
        _cluster.Elect("t", 0, leader: 2);
        var reading = ReadAsync(consumer, 1);
        _cluster.Append("t", 0, "b");
        await _clock.AdvanceUntilAsync(reading, stepMs: 100);
        Assert.Equal(["1:b"], await reading);
        Assert.Equal(2, _cluster.Requests.Last(request => request.Api == ApiKey.Fetch).Broker);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(17)]
    public async Task Old_and_new_fetches_bring_the_same(short version)
    {
        _cluster.VersionMax[ApiKey.Fetch] = version;
        _cluster.Append("t", 0, "a", "b");
        await using var consumer = Assign();
        Assert.Equal(["0:a", "1:b"], await ReadAsync(consumer, 2));
        Assert.Equal(version, _cluster.Requests.First(request => request.Api == ApiKey.Fetch).Version);
    }

    [Fact]
    public async Task Cancelling_ends_the_reading()
    {
        await using var consumer = Assign();
        using var stop = new CancellationTokenSource();
        var reading = ReadAsync(consumer, 1, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task One_reader_at_a_time()
    {
        await using var consumer = Assign();
        using var stop = new CancellationTokenSource();
        var reading = ReadAsync(consumer, 1, stop.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(consumer, 1));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task Whole_batches_show_their_records_and_bounds()
    {
        _cluster.AppendBatch("t", 0, ClientRecords.Build("a", "b"));
        _cluster.AppendBatch("t", 0, ClientRecords.Build("c"));
        await using var consumer = _client.CreateConsumer();
        consumer.Assign([new TopicPartitionOffset(Zero, new Offset(1))]);
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            List<string> values = [];
            foreach (var record in batch) values.Add($"{record.Offset}:{Encoding.UTF8.GetString(record.Value)}");
            Assert.Equal(["1:b", "2:c"], values);
            Assert.Equal((new Offset(1), new Offset(3), new Offset(3)), (batch.BaseOffset, batch.NextOffset, batch.HighWatermark));
            break;
        }
    }

    [Fact]
    public async Task Keys_tombstones_headers_and_times_come_through()
    {
        await using var producer = _client.CreateProducer<string, string>();
        var time = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123);
        await producer.ProduceAsync("t", new OutgoingRecord<string, string>("k", null) { Timestamp = time, Headers = [new("a", new byte[] { 1 }), new("b", null)] });
        await using var consumer = Assign();
        await foreach (var record in consumer.ConsumeAsync())
        {
            Assert.Equal(("k", true, null, true, time), (record.Key, record.HasKey, record.Value, record.IsTombstone, record.Timestamp));
            Assert.Equal(["a", "b"], record.Headers.Select(header => header.Key));
            Assert.Equal([1], record.Headers[0].Value!.Value.ToArray());
            Assert.Null(record.Headers[1].Value);
            break;
        }
    }

    internal static async Task<List<string>> ReadAsync(Consumer<string, string> consumer, int count, CancellationToken cancellationToken = default)
    {
        List<string> read = [];
        await foreach (var record in consumer.ConsumeAsync(cancellationToken))
        {
            read.Add($"{record.Offset}:{record.Value}");
            if (read.Count == count) break;
        }
        return read;
    }

    private Consumer<string, string> Assign(ConsumerOptions? options = null)
    {
        var consumer = _client.CreateConsumer<string, string>(options ?? new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([Zero]);
        return consumer;
    }
}
