using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.ClusterTests.Client;

/// <summary>What a client over grains makes of silos that go and of calls that cannot be.</summary>
public sealed class GrainFailureTests : IAsyncLifetime
{
    private LogSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await LogSilo.StartNewAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task A_request_larger_than_a_call_may_be_is_refused_and_others_go_on()
    {
        await using var application = await _silo.ConnectAsync(messageBytesMax: 256 * 1024);
        await application.Log.Admin.CreateTopicAsync(new NewTopic("parcels", PartitionCount: 1));
        await using var producer = application.Log.CreateProducer();

        var refused = await Assert.ThrowsAsync<OrleansLogException>(() => producer.ProduceAsync("parcels", new byte[300 * 1024]).AsTask());
        Assert.Equal(ErrorCode.MessageTooLarge, refused.ErrorCode);
        Assert.Contains("MaxMessageBodySize", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await producer.ProduceAsync("parcels", new byte[200 * 1024])).Offset.Value);
    }

    [Fact]
    public async Task While_the_broker_is_away_the_error_is_one_to_try_again_after()
    {
        await using var application = await _silo.ConnectAsync(options => options with { OperationTimeoutMs = 2_000, ConnectTimeoutMs = 1_000 });
        await application.Log.Admin.CreateTopicAsync(new NewTopic("letters", PartitionCount: 1));
        await _silo.StopAsync();

        var away = await Assert.ThrowsAsync<OrleansLogException>(() => application.Log.Admin.DescribeTopicAsync("letters"));
        Assert.True(away.IsRetriable, away.Message);
    }

    [Fact]
    public async Task What_is_sent_while_the_broker_is_away_arrives_when_it_is_back()
    {
        await using var application = await _silo.ConnectAsync(options => options with { ConnectTimeoutMs = 2_000 });
        await application.Log.Admin.CreateTopicAsync(new NewTopic("letters", PartitionCount: 1));
        await using var producer = application.Log.CreateProducer();
        await producer.ProduceAsync("letters", "before"u8);
        await _silo.StopAsync();
        var sent = producer.ProduceAsync("letters", "meanwhile"u8);
        await _silo.StartAsync();

        Assert.Equal(1, (await sent).Offset.Value);
        Assert.Equal(2, (await producer.ProduceAsync("letters", "after"u8)).Offset.Value);
    }

    [Fact]
    public async Task What_waits_for_an_answer_fails_with_the_connection_and_not_with_the_time_out()
    {
        await using var application = await _silo.ConnectAsync();
        await application.Log.Admin.CreateTopicAsync(new NewTopic("letters", PartitionCount: 1));
        await using var consumer = application.Log.CreateConsumer<byte[], byte[]>(new ConsumerOptions { OffsetReset = OffsetReset.Earliest, FetchWaitMsMax = 600_000 });
        consumer.Assign([new TopicPartition("letters", 0)]);
        await using var records = consumer.ConsumeAsync().GetAsyncEnumerator();
        var first = records.MoveNextAsync().AsTask();
        await _silo.StopAsync();
        await _silo.StartAsync();
        await using var producer = application.Log.CreateProducer();
        await producer.ProduceAsync("letters", "after"u8);

        Assert.True(await first.WaitAsync(TimeSpan.FromMinutes(3)));
    }
}
