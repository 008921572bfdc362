using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Kafka;

/// <summary>Transactions as clients make them: in the old way and with an epoch for each (KIP-890).</summary>
public sealed class TransactionTests
{
    private const ErrorCode Ok = ErrorCode.None;

    private static async Task<(TestBroker Broker, TestClient Client)> StartAsync(TimeProvider? time = null, string? directory = null)
    {
        var broker = await TestBroker.StartAsync(
            directory, time, config: [("transaction.state.log.num.partitions", "3"), ("offsets.topic.num.partitions", "3")]);
        var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("orders");
        await client.CreateTopicAsync("bills");
        return (broker, client);
    }

    private static Task<List<string>> ReadAsync(TestClient client, string topic) => TransactionScript.ReadCommittedAsync(client, topic);

    private static async Task WriteAsync(TransactionScript producer, bool isNew, string topic, string value)
    {
        if (!isNew) Assert.Equal(Ok, await UntilOver(() => producer.AddAsync(topic)));
        Assert.Equal(Ok, await UntilOver(() => producer.WriteAsync(topic, value)));
    }

    // The end of the transaction before it may still be on its way.
    private static async Task<ErrorCode> UntilOver(Func<Task<ErrorCode>> ask)
    {
        var error = await ask();
        while (error == ErrorCode.ConcurrentTransactions) error = await ask();
        return error;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Readers_of_committed_records_see_a_transaction_whole_or_not_at_all(bool isNew)
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client, isNew: isNew);
        await WriteAsync(producer, isNew, "orders", "a");
        await WriteAsync(producer, isNew, "bills", "b");
        Assert.Empty(await ReadAsync(client, "orders"));
        Assert.Equal(["0:a"], Batches.Read((await client.FetchAsync("orders", 0)).Records!.Value));

        Assert.Equal(Ok, await producer.EndAsync(isCommit: true));
        await WriteAsync(producer, isNew, "orders", "c");
        Assert.Equal(Ok, await producer.EndAsync(isCommit: false));
        await WriteAsync(producer, isNew, "orders", "d");
        Assert.Equal(Ok, await producer.EndAsync(isCommit: true));

        await SettledAsync(client, "orders", 6);
        Assert.Equal(["0:a", "4:d"], await ReadAsync(client, "orders"));
        await SettledAsync(client, "bills", 2);
        Assert.Equal(["0:b"], await ReadAsync(client, "bills"));
        Assert.Equal(isNew ? 3 : 0, producer.Epoch);
    }

    // Markers come after the answer: a long poll of a reader of committed records is woken by them.
    private static async Task SettledAsync(TestClient client, string topic, long end)
    {
        while (true)
        {
            var answer = await client.CallAsync(new ListOffsetsRequest
            {
                IsolationLevel = 1,
                Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Timestamp = -1 }] }],
            });
            if (answer.Topics[0].Partitions[0].Offset >= end) return;
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_long_poll_for_committed_records_is_woken_by_the_marker()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await using var reader = await broker.ConnectAsync();
        var producer = await TransactionScript.InitAsync(client);
        await producer.WriteAsync("orders", "a");
        var request = BrokerScript.Fetch("orders", 0, maxWaitMs: 60_000);
        request.IsolationLevel = 1;
        await reader.SendAsync(request, 12);
        await producer.EndAsync(isCommit: true);
        Assert.Equal(["0:a"], TransactionScript.Visible(BrokerScript.Single(await reader.ReceiveAsync<FetchResponse>(12))));
    }

    [Fact]
    public async Task A_second_producer_of_the_same_id_fences_the_first_and_aborts_what_it_left()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var first = await TransactionScript.InitAsync(client);
        await first.WriteAsync("orders", "lost");
        var second = await TransactionScript.InitAsync(client);
        Assert.Equal(first.ProducerId, second.ProducerId);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await first.WriteAsync("orders", "late"));
        Assert.Equal(ErrorCode.ProducerFenced, await first.EndAsync(isCommit: true));
        Assert.Equal(Ok, await UntilOver(() => second.WriteAsync("orders", "kept")));
        Assert.Equal(Ok, await second.EndAsync(isCommit: true));
        await SettledAsync(client, "orders", 4);
        Assert.Equal(["2:kept"], await ReadAsync(client, "orders"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_transaction_that_is_not_ended_in_time_is_aborted(bool isNew)
    {
        var clock = new ManualClock();
        var (broker, client) = await StartAsync(clock);
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client, isNew: isNew, timeoutMs: 5_000);
        await WriteAsync(producer, isNew, "orders", "lost");
        clock.AdvanceMs(4_999);
        Assert.Equal(0, (await DescribeAsync(client, "orders")).CurrentTxnStartOffset);
        clock.AdvanceMs(2);
        await SettledAsync(client, "orders", 2);
        Assert.Empty(await ReadAsync(client, "orders"));
        Assert.Equal(isNew ? ErrorCode.InvalidTxnState : ErrorCode.ProducerFenced, await producer.EndAsync(isCommit: true));
        Assert.Equal(ErrorCode.InvalidProducerEpoch, await producer.WriteAsync("orders", "late"));
    }

    private static async Task<DescribeProducersResponse.ProducerState> DescribeAsync(TestClient client, string topic)
    {
        var answer = await client.CallAsync(new DescribeProducersRequest { Topics = [new() { Name = topic, PartitionIndexes = [0] }] });
        return Assert.Single(answer.Topics[0].Partitions[0].ActiveProducers);
    }

    [Fact]
    public async Task A_partition_that_was_not_added_takes_no_batch_of_an_old_client()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client, isNew: false);
        Assert.Equal(Ok, await producer.AddAsync("orders"));
        Assert.Equal(ErrorCode.TransactionAbortable, await producer.WriteAsync("bills", "x"));
        Assert.Equal(Ok, await producer.WriteAsync("orders", "a"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await producer.AddAsync("nowhere"));
        Assert.Equal(Ok, await producer.EndAsync(isCommit: true));
        Assert.Equal(ErrorCode.TransactionAbortable, await UntilOver(() => producer.WriteAsync("orders", "after the end")));
        Assert.Equal(0, (await client.ListOffsetAsync("bills", -1)).Offset);
    }

    /// <summary>Without a pause the next transaction begins while markers of the last are on their way.</summary>
    [Fact]
    public async Task One_transaction_follows_on_another()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await FindGroupAsync(client);
        var producer = await TransactionScript.InitAsync(client);
        for (var i = 0; i < 60; i++)
        {
            Assert.Equal(Ok, await UntilOver(() => producer.WriteAsync("orders", $"{i}")));
            Assert.Equal(Ok, await UntilOver(() => producer.CommitOffsetAsync("shop", "orders", i)));
            Assert.Equal(Ok, await producer.EndAsync(isCommit: i % 2 == 0));
        }

        await SettledAsync(client, "orders", 120);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => $"{4 * i}:{2 * i}"), await ReadAsync(client, "orders"));
        Assert.Equal((Ok, 58L), await StableOffsetAsync(client));
    }

    [Fact]
    public async Task The_marker_of_the_transaction_before_may_come_while_the_coordinator_is_asked()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var partition = broker.Broker.Partitions.Find(new("orders", 0))!;
        using var builder = new OrleansLog.Protocol.Records.RecordBatchBuilder(1024) { ProducerId = 7, ProducerEpoch = 1, BaseSequence = 0, IsTransactional = true };
        builder.TryAppend(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), default, keyIsNull: true, "a"u8, valueIsNull: false, []);
        var asked = 0;
        var outcome = await partition.AppendAsync(builder.Build().ToArray(), new("tx", 7, 1, MayAdd: true), 1_000, async () =>
        {
            var marker = new OrleansLog.Protocol.Records.EndTransactionMarker(7, 1, IsCommit: true, 0).Encode(1_000);
            return new(++asked == 1 ? await partition.AppendOwn(marker, null, default).Done : Ok, CoordinatorEpoch: 0);
        });
        Assert.Equal((Ok, 2, 1L), (outcome.Error, asked, outcome.BaseOffset.Value));
    }

    [Fact]
    public async Task A_topic_that_is_deleted_meanwhile_holds_no_transaction_up()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client);
        await producer.WriteAsync("orders", "kept");
        await producer.WriteAsync("bills", "gone");
        await client.CallAsync(new DeleteTopicsRequest { Topics = [new() { Name = "bills" }] });
        Assert.Equal(Ok, await producer.EndAsync(isCommit: true));
        await SettledAsync(client, "orders", 2);
        while ((await client.CallAsync(new DescribeTransactionsRequest { TransactionalIds = ["tx"] })).TransactionStates[0].State != "CompleteCommit") await Task.Yield();
        Assert.Equal(Ok, await producer.WriteAsync("orders", "next"));
    }

    [Fact]
    public async Task Batches_behind_the_first_of_a_transaction_keep_their_order()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client);
        for (var i = 0; i < 20; i++)
        {
            var request = BrokerScript.Produce("orders", producer.Batch($"{i}", i));
            request.TransactionalId = "tx";
            await client.SendAsync(request, 12);
        }

        for (var i = 0; i < 20; i++) Assert.Equal(i, BrokerScript.Single(await client.ReceiveAsync<ProduceResponse>(12)).BaseOffset);
    }

    [Fact]
    public async Task A_control_batch_an_unnamed_transaction_and_acks_of_1_are_refused()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client);
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, (await client.ProduceAsync("orders", producer.Batch("x", 0))).ErrorCode);
        var request = BrokerScript.Produce("orders", producer.Batch("x", 0), acks: 1);
        request.TransactionalId = "tx";
        Assert.Equal(ErrorCode.InvalidRequiredAcks, BrokerScript.Single(await client.CallAsync(request)).ErrorCode);
        var marker = new OrleansLog.Protocol.Records.EndTransactionMarker(producer.ProducerId, 0, IsCommit: true, 0).Encode(1_000);
        request = BrokerScript.Produce("orders", marker);
        request.TransactionalId = "tx";
        Assert.Equal(ErrorCode.InvalidRecord, BrokerScript.Single(await client.CallAsync(request)).ErrorCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Offsets_count_when_their_transaction_is_committed(bool isNew)
    {
        var directory = Directory.CreateTempSubdirectory("orleanslog-test-");
        var (broker, client) = await StartAsync(directory: directory.FullName);
        await FindGroupAsync(client);
        var producer = await TransactionScript.InitAsync(client, isNew: isNew);
        Assert.Equal(Ok, await producer.CommitOffsetAsync("shop", "orders", 5));
        Assert.Equal((Ok, -1L), await FetchOffsetAsync(client, stable: false));
        Assert.Equal((ErrorCode.UnstableOffsetCommit, -1L), await FetchOffsetAsync(client, stable: true));
        Assert.Equal(Ok, await producer.EndAsync(isCommit: true));
        Assert.Equal((Ok, 5L), await StableOffsetAsync(client));
        Assert.Equal(Ok, await UntilOver(() => producer.CommitOffsetAsync("shop", "orders", 9)));

        await client.DisposeAsync();
        await broker.DisposeAsync();
        broker = await TestBroker.StartAsync(
            directory.FullName, config: [("transaction.state.log.num.partitions", "3"), ("offsets.topic.num.partitions", "3")]);
        client = await broker.ConnectAsync();
        Assert.Equal((ErrorCode.UnstableOffsetCommit, -1L), await FetchOffsetAsync(client, stable: true));
        Assert.Equal((Ok, 5L), await FetchOffsetAsync(client, stable: false));
        Assert.Equal(Ok, await UntilOver(() => producer.With(client).EndAsync(isCommit: false)));
        Assert.Equal((Ok, 5L), await StableOffsetAsync(client));
        await client.DisposeAsync();
        await broker.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private static async Task FindGroupAsync(TestClient client)
    {
        while ((await client.CallAsync(new FindCoordinatorRequest { CoordinatorKeys = ["shop"] })).Coordinators[0].ErrorCode != Ok) await Task.Yield();
    }

    private static async Task<(ErrorCode, long)> StableOffsetAsync(TestClient client)
    {
        var found = await FetchOffsetAsync(client, stable: true);
        while (found.Item1 == ErrorCode.UnstableOffsetCommit) found = await FetchOffsetAsync(client, stable: true);
        return found;
    }

    private static async Task<(ErrorCode, long)> FetchOffsetAsync(TestClient client, bool stable)
    {
        while (true)
        {
            var answer = await client.CallAsync(new OffsetFetchRequest
            {
                RequireStable = stable,
                Groups = [new() { GroupId = "shop", Topics = [new() { Name = "orders", PartitionIndexes = [0] }] }],
            });
            var group = Assert.Single(answer.Groups);
            if (group.ErrorCode is ErrorCode.NotCoordinator or ErrorCode.CoordinatorLoadInProgress) continue;
            Assert.Equal(Ok, group.ErrorCode);
            var partition = Assert.Single(Assert.Single(group.Topics).Partitions);
            return (partition.ErrorCode, partition.CommittedOffset);
        }
    }

    [Fact]
    public async Task A_member_that_is_none_any_more_commits_no_offsets()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await FindGroupAsync(client);
        var producer = await TransactionScript.InitAsync(client);
        Assert.Equal(ErrorCode.IllegalGeneration, await producer.CommitOffsetAsync("shop", "orders", 5, generation: 3, member: "m"));
    }

    [Fact]
    public async Task Transactions_are_listed_and_described()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var producer = await TransactionScript.InitAsync(client, "a");
        await TransactionScript.InitAsync(client, "b");
        await producer.WriteAsync("orders", "x");
        var listed = await client.CallAsync(new ListTransactionsRequest { StateFilters = ["Ongoing", "Odd"] });
        Assert.Equal(["Odd"], listed.UnknownStateFilters);
        Assert.Equal(("a", producer.ProducerId, "Ongoing"), Assert.Single(listed.TransactionStates.Select(each => (each.TransactionalId, each.ProducerId, each.State))));
        Assert.Equal(2, (await client.CallAsync(new ListTransactionsRequest())).TransactionStates.Count);
        var described = (await client.CallAsync(new DescribeTransactionsRequest { TransactionalIds = ["a", "none"] })).TransactionStates;
        Assert.Equal("orders", Assert.Single(described[0].Topics).Topic);
        Assert.Equal(ErrorCode.TransactionalIdNotFound, described[1].ErrorCode);
    }

    [Theory]
    [InlineData(0, ErrorCode.InvalidTransactionTimeout)]
    [InlineData(900_001, ErrorCode.InvalidTransactionTimeout)]
    public async Task Time_outs_have_limits(int timeoutMs, ErrorCode expected)
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        Assert.Equal(expected, (await new TransactionScript(client).InitAsync(timeoutMs)).ErrorCode);
    }
}
