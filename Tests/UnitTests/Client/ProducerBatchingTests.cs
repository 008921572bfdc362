using OrleansLog.Client;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Protocol.Wire;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Client;

public sealed class ProducerBatchingTests : IAsyncDisposable
{
    private readonly FakeCluster _cluster = new();
    private readonly ManualClock _clock = new();
    private readonly OrleansLogClient _client;

    public ProducerBatchingTests()
    {
        _cluster.CreateTopic("t");
        _client = new OrleansLogClient(new ClientOptions(), _cluster, null, _clock);
    }

    public async ValueTask DisposeAsync() => await _client.DisposeAsync();

    private async Task<Producer> StartAsync(ProducerOptions? options = null)
    {
        var producer = _client.CreateProducer(options);
        await producer.ProduceAsync("t", "first"u8);
        return producer;
    }

    [Fact]
    public async Task A_lone_record_leaves_at_once_and_learns_its_offset()
    {
        var producer = await StartAsync();
        var metadata = await producer.ProduceAsync("t", "second"u8);
        Assert.Equal(new RecordMetadata("t", 0, new Offset(1), -1), metadata);
        Assert.Equal([1, 1], _cluster.Log("t").BatchSizes);
    }

    [Fact]
    public async Task Records_gather_while_one_is_in_flight()
    {
        var producer = await StartAsync();
        _cluster.Hold(ApiKey.Produce);
        for (var i = 0; i < 4; i++) Assert.True(producer.TryPost("t", "x"u8));
        _cluster.Release(ApiKey.Produce);
        await producer.FlushAsync();
        Assert.Equal([1, 1, 3], _cluster.Log("t").BatchSizes);
    }

    [Fact]
    public async Task Lingering_records_leave_when_their_time_is_up()
    {
        var producer = await StartLingeringAsync();
        producer.TryPost("t", "a"u8);
        _clock.AdvanceMs(9);
        producer.TryPost("t", "b"u8);
        Assert.Equal(1, _cluster.Count(ApiKey.Produce));
        _clock.AdvanceMs(1);
        Assert.Equal([1, 2], _cluster.Log("t").BatchSizes);
    }

    [Fact]
    public async Task A_full_batch_does_not_linger()
    {
        var producer = await StartLingeringAsync(batchBytes: 200);
        for (var i = 0; i < 10; i++) producer.TryPost("t", new byte[50]);
        Assert.True(_cluster.Log("t").EndOffset > 1, "the first full batch waits for nothing");
        await producer.FlushAsync();
        Assert.All(_cluster.Log("t").Headers, header => Assert.InRange(header.SizeInBytes, 1, 200));
        Assert.Equal(11, _cluster.Log("t").EndOffset);
    }

    [Fact]
    public async Task Flushing_sends_what_lingers()
    {
        var producer = await StartLingeringAsync();
        producer.TryPost("t", "a"u8);
        await producer.FlushAsync();
        Assert.Equal(["first", "a"], _cluster.Log("t").Values);
    }

    [Fact]
    public async Task Disposal_flushes_and_then_refuses()
    {
        var producer = await StartLingeringAsync();
        producer.TryPost("t", "a"u8);
        await producer.DisposeAsync();
        Assert.Equal(2, _cluster.Log("t").EndOffset);
        Assert.Throws<ObjectDisposedException>(() => producer.TryPost("t", "b"u8));
    }

    [Fact]
    public async Task Batches_of_one_broker_share_a_request()
    {
        _cluster.CreateTopic("p", 3);
        var producer = _client.CreateProducer(new ProducerOptions { LingerMs = 10 });
        for (var i = 0; i < 3; i++) await producer.PostAsync("p", new OutgoingRecord { Value = "x"u8, Partition = i });
        await producer.PostAsync("t", new OutgoingRecord { Value = "y"u8 });
        _clock.AdvanceMs(10);
        Assert.Equal(1, _cluster.Count(ApiKey.Produce));
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(["x"], _cluster.Log("p", i).Values));
        Assert.Equal(["y"], _cluster.Log("t").Values);
    }

    [Fact]
    public async Task Reports_come_once_per_batch_and_in_order()
    {
        List<DeliveryReport> reports = [];
        var producer = await StartAsync(new ProducerOptions { OnDelivery = reports.Add });
        _cluster.Hold(ApiKey.Produce);
        for (var i = 0; i < 4; i++) producer.TryPost("t", "x"u8);
        _cluster.Release(ApiKey.Produce);
        await producer.FlushAsync();
        var partition = new TopicPartition("t", 0);
        Assert.Equal([new(partition, new Offset(0), 1, null), new(partition, new Offset(1), 1, null), new(partition, new Offset(2), 3, null)], reports);
    }

    [Fact]
    public async Task Without_acknowledgement_the_offset_stays_unknown()
    {
        var producer = _client.CreateProducer(new ProducerOptions { Acks = Acks.None });
        var metadata = await producer.ProduceAsync("t", "x"u8);
        Assert.Equal(Offset.None, metadata.Offset);
        Assert.Equal(["x"], _cluster.Log("t").Values);
    }

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Every_codec_arrives_whole(CompressionType compression)
    {
        var producer = await StartAsync(new ProducerOptions { Compression = compression });
        _cluster.Hold(ApiKey.Produce);
        var values = Enumerable.Range(0, 200).Select(i => $"value number {i}").ToList();
        foreach (var value in values) producer.TryPost("t", System.Text.Encoding.UTF8.GetBytes(value));
        _cluster.Release(ApiKey.Produce);
        await producer.FlushAsync();
        Assert.Equal(values, _cluster.Log("t").Values.Skip(1));
        Assert.Equal(compression, _cluster.Log("t").Headers.Last().Compression);
    }

    [Fact]
    public async Task Awaited_records_of_one_batch_each_learn_their_own_offset()
    {
        var producer = await StartAsync();
        _cluster.Hold(ApiKey.Produce);
        var tasks = Enumerable.Range(0, 100).Select(_ => producer.ProduceAsync("t", "x"u8).AsTask()).ToList();
        _cluster.Release(ApiKey.Produce);
        var offsets = (await Task.WhenAll(tasks)).Select(metadata => metadata.Offset.Value);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (long)i), offsets);
    }

    private async Task<Producer> StartLingeringAsync(int batchBytes = 1_000_000)
    {
        var producer = _client.CreateProducer(new ProducerOptions { LingerMs = 10, BatchBytes = batchBytes });
        var first = producer.ProduceAsync("t", "first"u8);
        _clock.AdvanceMs(10);
        await first;
        return producer;
    }
}
