using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Kafka;

public sealed class ProduceAndFetchTests
{
    [Fact]
    public async Task What_was_produced_is_fetched_at_the_offsets_that_were_acknowledged()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        Assert.Equal(0, (await client.ProduceAsync("orders", Batches.Of("a", "b"))).BaseOffset);
        Assert.Equal(2, (await client.ProduceAsync("orders", Batches.Of("c"))).BaseOffset);

        var fetched = await client.FetchAsync("orders", 0);
        Assert.Equal(["0:a", "1:b", "2:c"], Batches.Read(fetched.Records!.Value));
        Assert.Equal(3, fetched.HighWatermark);
        Assert.Equal(["2:c"], Batches.Read((await client.FetchAsync("orders", 2)).Records!.Value));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(12)]
    public async Task Every_version_of_produce_is_answered_in_its_own_layout(short version)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        var answer = await client.ProduceAsync("orders", Batches.Of("a"), version: version);

        Assert.Equal((ErrorCode.None, 0L), (answer.ErrorCode, answer.BaseOffset));
        Assert.Equal(version < 5 ? -1 : 0, answer.LogStartOffset);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(11)]
    [InlineData(12)]
    public async Task Every_version_of_fetch_is_answered_in_its_own_layout(short version)
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batches.Of("a"));

        Assert.Equal(["0:a"], Batches.Read((await client.FetchAsync("orders", 0, version: version)).Records!.Value));
    }

    [Fact]
    public async Task Later_versions_fetch_by_topic_id()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        var topic = await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batches.Of("a"));

        var request = BrokerScript.Fetch("", 0);
        request.Topics[0].TopicId = topic.TopicId;
        Assert.Equal(["0:a"], Batches.Read(BrokerScript.Single(await client.CallAsync(request, 17)).Records!.Value));

        request.Topics[0].TopicId = Guid.NewGuid();
        Assert.Equal(ErrorCode.UnknownTopicId, BrokerScript.Single(await client.CallAsync(request, 17)).ErrorCode);
    }

    [Fact]
    public async Task Requests_of_one_connection_are_appended_and_answered_in_their_order()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        for (var i = 0; i < 200; i++)
            await client.SendAsync(BrokerScript.Produce("orders", Batches.Of($"{i}")), 9);
        for (var i = 0; i < 200; i++)
            Assert.Equal(i, BrokerScript.Single(await client.ReceiveAsync<ProduceResponse>(9)).BaseOffset);

        var values = Batches.Read((await client.FetchAsync("orders", 0)).Records!.Value);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}:{i}"), values);
    }

    [Fact]
    public async Task Acks_0_is_not_answered_and_the_record_is_there()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        await client.SendAsync(BrokerScript.Produce("orders", Batches.Of("a"), acks: 0), 9);

        // The next answer on the connection is the fetch's own.
        var fetched = await client.FetchAsync("orders", 0, maxWaitMs: 10_000);
        Assert.Equal(["0:a"], Batches.Read(fetched.Records!.Value));
    }

    [Fact]
    public async Task A_refused_acks_0_closes_the_connection_so_that_the_client_learns_of_it()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();

        await client.SendAsync(BrokerScript.Produce("nowhere", Batches.Of("a"), acks: 0), 9);

        Assert.Null(await client.ReceiveFrameAsync());
    }

    [Fact]
    public async Task Bad_batches_are_refused_with_their_code_and_leave_nothing_behind()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders", config: ("max.message.bytes", "1000"));

        Assert.Equal(ErrorCode.CorruptMessage, await ErrorOf(Flipped(Batches.Of("abc"), 70)));
        Assert.Equal(ErrorCode.CorruptMessage, await ErrorOf(Batches.Of("abc")[..40]));
        Assert.Equal(ErrorCode.CorruptMessage, await ErrorOf(Batches.Of("abc")[..^1]));
        Assert.Equal(ErrorCode.InvalidRecord, await ErrorOf(WithMagic(Batches.Of("abc"), 1)));
        Assert.Equal(ErrorCode.CorruptMessage, await ErrorOf(WithMagic(Batches.Of("abc"), 9)));
        Assert.Equal(ErrorCode.MessageTooLarge, await ErrorOf(Batches.OfSize(2000)));
        Assert.Equal(ErrorCode.InvalidRecord, await ErrorOf(default));
        Assert.Equal(ErrorCode.CorruptMessage, await ErrorOf([.. Batches.Of("sound"), .. Flipped(Batches.Of("abc"), 70)]));

        Assert.Equal(0, (await client.ProduceAsync("orders", Batches.Of("first"))).BaseOffset);

        async Task<ErrorCode> ErrorOf(byte[]? batch) => (await client.ProduceAsync("orders", batch)).ErrorCode;
    }

    [Fact]
    public async Task A_write_to_what_is_not_there_is_refused()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("nowhere", Batches.Of("a"))).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("orders", Batches.Of("a"), partition: 7)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ProduceAsync("orders", Batches.Of("a"), partition: -1)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequiredAcks, (await client.ProduceAsync("orders", Batches.Of("a"), acks: 2)).ErrorCode);
    }

    [Fact]
    public async Task A_record_of_100_MiB_goes_through_where_the_topic_and_the_broker_allow_it()
    {
        const int ValueBytes = 100 << 20;
        await using var broker = await TestBroker.StartAsync(config: [("socket.request.max.bytes", "120000000"), ("fetch.max.bytes", "120000000")]);
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("large", config: ("max.message.bytes", "104900000"));

        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("large", Batches.OfSize(ValueBytes))).ErrorCode);

        // Smaller limits than the batch bring it whole all the same, so that a reader can never be stuck before it.
        var fetched = await client.FetchAsync("large", 0, maxBytes: 1000);
        Assert.True(fetched.Records!.Value.Length > ValueBytes);
    }

    [Fact]
    public async Task A_fetch_brings_whole_batches_up_to_its_limit()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        for (var i = 0; i < 5; i++)
            await client.ProduceAsync("orders", Batches.OfSize(1000));

        Assert.Equal(2, Batches.Read((await client.FetchAsync("orders", 0, maxBytes: 2500)).Records!.Value).Count);
        Assert.Single(Batches.Read((await client.FetchAsync("orders", 0, maxBytes: 10)).Records!.Value));
    }

    [Fact]
    public async Task A_long_poll_is_answered_as_soon_as_there_is_something()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var reader = await broker.ConnectAsync();
        await using var writer = await broker.ConnectAsync();
        await writer.CreateTopicAsync("orders");

        await reader.SendAsync(BrokerScript.Fetch("orders", 0, maxWaitMs: 60_000), 12);
        await writer.ProduceAsync("orders", Batches.Of("a"));

        var fetched = BrokerScript.Single(await reader.ReceiveAsync<FetchResponse>(12));
        Assert.Equal(["0:a"], Batches.Read(fetched.Records!.Value));
    }

    [Fact]
    public async Task A_long_poll_waits_until_the_least_it_asked_for_is_there()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var reader = await broker.ConnectAsync();
        await using var writer = await broker.ConnectAsync();
        await writer.CreateTopicAsync("orders");

        await reader.SendAsync(BrokerScript.Fetch("orders", 0, maxWaitMs: 60_000, minBytes: 2500), 12);
        for (var i = 0; i < 3; i++)
            await writer.ProduceAsync("orders", Batches.OfSize(1000));

        var fetched = BrokerScript.Single(await reader.ReceiveAsync<FetchResponse>(12));
        Assert.Equal(3, Batches.Read(fetched.Records!.Value).Count);
    }

    [Fact]
    public async Task A_fetch_that_may_not_wait_is_answered_empty()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        var fetched = await client.FetchAsync("orders", 0, maxWaitMs: 0);

        Assert.Equal(ErrorCode.None, fetched.ErrorCode);
        Assert.Equal(0, fetched.Records!.Value.Length);
    }

    [Fact]
    public async Task A_fetch_outside_the_log_or_of_another_leadership_is_told_so_at_once()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync("orders", 5, maxWaitMs: 60_000)).ErrorCode);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync("orders", -7, maxWaitMs: 60_000)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.FetchAsync("nowhere", 0, maxWaitMs: 60_000)).ErrorCode);
        var request = BrokerScript.Fetch("orders", 0, maxWaitMs: 60_000);
        request.Topics[0].Partitions[0].CurrentLeaderEpoch = 9;
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, BrokerScript.Single(await client.CallAsync(request, 12)).ErrorCode);
    }

    [Fact]
    public async Task Fetch_sessions_are_refused_as_the_protocol_provides()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");

        var request = BrokerScript.Fetch("orders", 0);
        request.SessionEpoch = 0;
        var begun = await client.CallAsync(request, 12);
        Assert.Equal((ErrorCode.None, 0), (begun.ErrorCode, begun.SessionId));

        (request.SessionId, request.SessionEpoch) = (77, 3);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (await client.CallAsync(request, 12)).ErrorCode);
    }

    [Fact]
    public async Task A_topic_that_wants_it_gets_the_brokers_time_on_its_records()
    {
        var clock = new ManualClock();
        await using var broker = await TestBroker.StartAsync(time: clock);
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("stamped", config: ("message.timestamp.type", "LogAppendTime"));

        var answer = await client.ProduceAsync("stamped", Batches.At(5, "a"));

        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(now, answer.LogAppendTimeMs);
        Assert.Equal(0, (await client.ListOffsetAsync("stamped", now)).Offset);
        Assert.Equal(-1, (await client.ListOffsetAsync("stamped", now + 1)).Offset);
    }

    [Fact]
    public async Task A_record_from_too_far_ahead_is_refused()
    {
        var clock = new ManualClock();
        await using var broker = await TestBroker.StartAsync(time: clock);
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();

        Assert.Equal(ErrorCode.InvalidTimestamp, (await client.ProduceAsync("orders", Batches.At(now + 7_200_000, "a"))).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("orders", Batches.At(now + 1_800_000, "a"))).ErrorCode);
    }

    [Fact]
    public async Task Offsets_are_found_by_time_and_at_both_ends()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        await client.ProduceAsync("orders", Batches.At(1_000, "a", "b"));
        await client.ProduceAsync("orders", Batches.At(2_000, "c"));

        Assert.Equal(0, (await client.ListOffsetAsync("orders", -2)).Offset);
        Assert.Equal(3, (await client.ListOffsetAsync("orders", -1)).Offset);
        Assert.Equal(2, (await client.ListOffsetAsync("orders", 1_500)).Offset);
        Assert.Equal(2, (await client.ListOffsetAsync("orders", -3)).Offset);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.ListOffsetAsync("nowhere", -1)).ErrorCode);
    }

    [Fact]
    public async Task Deleted_records_are_out_of_range_afterwards()
    {
        await using var broker = await TestBroker.StartAsync();
        await using var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        for (var i = 0; i < 4; i++)
            await client.ProduceAsync("orders", Batches.Of($"{i}"));

        Assert.Equal(2, (await DeleteBeforeAsync(2)).LowWatermark);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await DeleteBeforeAsync(9)).ErrorCode);

        Assert.Equal(2, (await client.ListOffsetAsync("orders", -2)).Offset);
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync("orders", 1)).ErrorCode);
        Assert.Equal(["2:2", "3:3"], Batches.Read((await client.FetchAsync("orders", 2)).Records!.Value));

        async Task<DeleteRecordsResponse.DeleteRecordsPartitionResult> DeleteBeforeAsync(long offset)
        {
            var response = await client.CallAsync(new DeleteRecordsRequest
            {
                Topics = [new() { Name = "orders", Partitions = [new() { PartitionIndex = 0, Offset = offset }] }],
            });
            return Assert.Single(Assert.Single(response.Topics).Partitions);
        }
    }

    private static byte[] Flipped(byte[] batch, int at)
    {
        batch[at] ^= 0x10;
        return batch;
    }

    private static byte[] WithMagic(byte[] batch, byte magic)
    {
        batch[16] = magic;
        return batch;
    }
}
