using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;
using static OrleansLog.Protocol.Messages.ShareAcknowledgeType;

namespace OrleansLog.UnitTests.Shares;

/// <summary>Share groups over the wire, at one broker.</summary>
public sealed class ShareGroupWireTests
{
    private const ErrorCode Ok = ErrorCode.None;

    private static async Task<(TestBroker Broker, TestClient Client)> StartAsync(TimeProvider? time = null, string? directory = null, params (string, string)[] config)
    {
        var broker = await TestBroker.StartAsync(directory, time, config:
        [
            ("offsets.topic.num.partitions", "2"), ("share.coordinator.state.topic.num.partitions", "2"), ("transaction.state.log.num.partitions", "2"), .. config,
        ]);
        var client = await broker.ConnectAsync();
        await client.CreateTopicAsync("jobs");
        Assert.Equal(Ok, await SetAsync(client, "g", ("share.auto.offset.reset", "earliest")));
        return (broker, client);
    }

    private static async Task<ErrorCode> SetAsync(TestClient client, string group, params (string Name, string Value)[] configs)
    {
        var answer = await client.CallAsync(new IncrementalAlterConfigsRequest
        {
            Resources = [new() { ResourceType = 32, ResourceName = group, Configs = [.. configs.Select(each => new IncrementalAlterConfigsRequest.AlterableConfig { Name = each.Name, Value = each.Value })] }],
        });
        return answer.Responses[0].ErrorCode;
    }

    private static async Task ProduceAsync(TestClient client, int records, int perBatch = 10)
    {
        for (var at = 0; at < records; at += perBatch)
            Assert.Equal(Ok, (await client.ProduceAsync("jobs", Batches.Of([.. Enumerable.Range(at, Math.Min(perBatch, records - at)).Select(index => $"job-{index}")]))).ErrorCode);
    }

    private static async Task<ShareScript> OtherAsync(TestBroker broker, string member) => await ShareScript.JoinAsync(await broker.ConnectAsync(), "g", "jobs", member: member);

    [Fact]
    public async Task Members_share_the_records_of_one_partition()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 30);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        var two = await OtherAsync(broker, "m2");

        Assert.Equal("0-9*1", await one.FetchAsync(maxRecords: 5));
        Assert.Equal("10-19*1", await two.FetchAsync(maxRecords: 5));
        Assert.Equal("20-22*1", await two.FetchAsync(maxRecords: 3, isStrict: true));
        Assert.Equal("23-29*1", await one.FetchAsync());
        Assert.Equal("", await two.FetchAsync());
    }

    [Fact]
    public async Task A_group_may_have_a_heartbeat_interval_of_its_own_within_the_brokers_bounds()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        Assert.Equal(ErrorCode.InvalidConfig, await SetAsync(client, "g", ("share.heartbeat.interval.ms", "100")));
        Assert.Equal(ErrorCode.InvalidConfig, await SetAsync(client, "g", ("share.session.timeout.ms", "70000")));
        Assert.Equal(Ok, await SetAsync(client, "g", ("share.heartbeat.interval.ms", "7000")));
        var member = await ShareScript.JoinAsync(client, "g", "jobs");
        Assert.Equal(7_000, (await member.HeartbeatAsync()).HeartbeatIntervalMs);
    }

    [Fact]
    public async Task What_is_released_goes_to_another_and_what_is_accepted_or_rejected_does_not()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 10);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        var two = await OtherAsync(broker, "m2");
        Assert.Equal("0-9*1", await one.FetchAsync());

        Assert.Equal(Ok, await one.AcknowledgeAsync(0, 5, Accept, Release, Reject, Release, Release, Accept));
        Assert.Equal("1-1*2 3-4*2", await two.FetchAsync());
        Assert.Equal("3-4*3", await two.FetchAsync(acknowledgements: [ShareScript.Range(1, 1, Accept), ShareScript.Range(3, 4, Release)]));
        Assert.Equal(Ok, await one.AcknowledgeAsync(6, 9, Accept));
        Assert.Equal("", await one.FetchAsync());
    }

    [Fact]
    public async Task A_record_that_comes_later_wakes_a_member_that_waits()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await using var producer = await broker.ConnectAsync();
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        Assert.Equal("", await one.FetchAsync());
        var waiting = one.FetchAsync(maxWaitMs: 120_000);
        await ProduceAsync(producer, 3);
        Assert.Equal("0-2*1", await waiting);
    }

    [Fact]
    public async Task What_is_released_wakes_another_member_that_waits()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 2);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        var two = await OtherAsync(broker, "m2");
        Assert.Equal("0-1*1", await one.FetchAsync());
        Assert.Equal("", await two.FetchAsync());
        var waiting = two.FetchAsync(maxWaitMs: 120_000);
        Assert.Equal(Ok, await one.AcknowledgeAsync(1, 1, Release));
        Assert.Equal("1-1*2", await waiting);
    }

    [Fact]
    public async Task A_member_whose_connection_breaks_leaves_its_records_to_others()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 2);
        var lost = await broker.ConnectAsync();
        var one = await ShareScript.JoinAsync(lost, "g", "jobs");
        Assert.Equal("0-1*1", await one.FetchAsync());
        var two = await OtherAsync(broker, "m2");
        Assert.Equal("", await two.FetchAsync());
        var waiting = two.FetchAsync(maxWaitMs: 120_000);
        await lost.DisposeAsync();
        Assert.Equal("0-1*2", await waiting);
    }

    [Fact]
    public async Task A_session_that_is_closed_leaves_its_records_to_others()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 2);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        var two = await OtherAsync(broker, "m2");
        Assert.Equal("0-1*1", await one.FetchAsync());
        await one.CloseSessionAsync();
        Assert.Equal("0-1*2", await two.FetchAsync());
        Assert.Equal(ErrorCode.ShareSessionNotFound, (await one.FetchRawAsync(epoch: 3)).ErrorCode);
    }

    [Fact]
    public async Task Where_a_group_has_come_to_is_there_after_a_restart()
    {
        var directory = Directory.CreateTempSubdirectory("orleanslog-shares-");
        try
        {
            var (broker, client) = await StartAsync(directory: directory.FullName);
            await ProduceAsync(client, 10);
            var one = await ShareScript.JoinAsync(client, "g", "jobs");
            Assert.Equal("0-9*1", await one.FetchAsync());
            Assert.Equal(Ok, await one.AcknowledgeAsync(0, 2, Accept));
            Assert.Equal(Ok, await one.AcknowledgeAsync(3, 3, Release));
            Assert.Equal(Ok, await one.AcknowledgeAsync(5, 5, Accept));
            await client.DisposeAsync();
            await broker.DisposeAsync();

            (broker, client) = await StartAsync(directory: directory.FullName);
            var two = await ShareScript.JoinAsync(client, "g", "jobs", member: "m2");
            var first = await two.FetchAsync();
            await client.DisposeAsync();
            await broker.DisposeAsync();
            // What was delivered and not answered may count as delivered, or not.
            Assert.Contains(first, new[] { "3-3*2 4-4*1 6-9*1", "3-4*2 6-9*2" });
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_record_whose_lock_ends_is_delivered_again_and_given_up_in_the_end()
    {
        var clock = new ManualClock();
        var (broker, client) = await StartAsync(clock, null, ("group.share.delivery.count.limit", "2"));
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 2);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        Assert.Equal("0-1*1", await one.FetchAsync());
        clock.AdvanceMs(20_000);
        Assert.Equal(Ok, await one.AcknowledgeAsync(1, 1, Renew));
        clock.AdvanceMs(15_000);
        Assert.Equal("0-0*2", await one.FetchAsync());
        clock.AdvanceMs(15_001);
        Assert.Equal("1-1*2", await one.FetchAsync());
        clock.AdvanceMs(30_001);
        Assert.Equal("", await one.FetchAsync());
    }

    [Fact]
    public async Task Aborted_transactions_are_not_delivered_to_a_group_that_wants_committed_ones()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        Assert.Equal(Ok, await SetAsync(client, "g", ("share.isolation.level", "read_committed")));
        await using var writing = await broker.ConnectAsync();
        var producer = await TransactionScript.InitAsync(writing, isNew: true);
        Assert.Equal(Ok, await producer.WriteAsync("jobs", "aborted"));
        Assert.Equal(Ok, await producer.EndAsync(isCommit: false));
        while (await producer.WriteAsync("jobs", "committed") is var error && error != Ok)
            Assert.Equal(ErrorCode.ConcurrentTransactions, error);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        var waiting = one.FetchAsync(maxWaitMs: 120_000);
        Assert.Equal(Ok, await producer.EndAsync(isCommit: true));
        Assert.Equal("2-2*1", await waiting);
    }

    [Fact]
    public async Task Wrong_requests_get_the_errors_that_Kafka_gives()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 10);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        Assert.Equal("0-9*1", await one.FetchAsync());
        var two = await OtherAsync(broker, "m2");
        Assert.Equal("", await two.FetchAsync());

        Assert.Equal(ErrorCode.InvalidRecordState, await two.AcknowledgeAsync(0, 0, Accept));
        Assert.Equal(ErrorCode.InvalidRequest, await one.AcknowledgeAsync(10, 10, Accept));
        Assert.Equal(ErrorCode.InvalidRequest, await one.AcknowledgeAsync(3, 2, Accept));
        Assert.Equal(ErrorCode.InvalidRequest, await one.AcknowledgeAsync(0, 3, Accept, Accept));
        Assert.Equal(ErrorCode.InvalidRequest, await one.AcknowledgeAsync(0, 0, (ShareAcknowledgeType)9));
        Assert.Equal(ErrorCode.InvalidRequest, await one.AcknowledgeAsync(-5, 0, Accept));
        Assert.Equal(ErrorCode.InvalidRequest, (await one.AcknowledgeRawAsync(false, null, ShareScript.Range(0, 0, Renew))).Responses[0].Partitions[0].ErrorCode);
        Assert.Equal(ErrorCode.InvalidShareSessionEpoch, (await one.FetchRawAsync(epoch: 77)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidShareSessionEpoch, (await one.AcknowledgeRawAsync(false, 0, ShareScript.Range(0, 0, Accept))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidShareSessionEpoch, (await one.FetchRawAsync(epoch: -2)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await one.FetchRawAsync(epoch: 0, acknowledgements: ShareScript.Range(0, 0, Accept))).ErrorCode);
        // Whatever was wrong with the rest, the records are still the member's.
        Assert.Equal(Ok, await one.AcknowledgeAsync(0, 9, Accept));
    }

    [Fact]
    public async Task Unknown_topics_and_partitions_are_told_apart()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        var answer = await client.CallAsync(new ShareFetchRequest
        {
            GroupId = "g",
            MemberId = "m9",
            MaxRecords = 1,
            MaxBytes = 1,
            Topics = [new() { TopicId = Guid.NewGuid(), Partitions = [new() { PartitionIndex = 0 }] }],
        });
        Assert.Equal(ErrorCode.UnknownTopicId, answer.Responses[0].Partitions[0].ErrorCode);
        one.Partitions.Add(5);
        Assert.Contains((await one.FetchRawAsync()).Responses[0].Partitions, part => part is { PartitionIndex: 5, ErrorCode: ErrorCode.UnknownTopicOrPartition });
    }

    [Fact]
    public async Task Offsets_are_described_altered_and_deleted()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ProduceAsync(client, 10);
        var one = await ShareScript.JoinAsync(client, "g", "jobs");
        Assert.Equal("0-9*1", await one.FetchAsync());
        Assert.Equal(Ok, await one.AcknowledgeAsync(0, 3, Accept));
        Assert.Equal(Ok, await one.AcknowledgeAsync(6, 7, Accept));
        Assert.Equal((4, 4), await OffsetAsync(client));

        Assert.Equal(ErrorCode.NonEmptyGroup, (await AlterAsync(client, 1)).ErrorCode);
        Assert.Equal(ErrorCode.NonEmptyGroup, Assert.Single((await client.CallAsync(new DeleteGroupsRequest { GroupsNames = ["g"] })).Results).ErrorCode);
        await one.CloseSessionAsync();
        one.MemberEpoch = -1;
        Assert.Equal(Ok, (await one.HeartbeatAsync()).ErrorCode);
        var altered = await AlterAsync(client, 1);
        Assert.Equal(Ok, altered.ErrorCode);
        Assert.Equal(Ok, altered.Responses[0].Partitions[0].ErrorCode);
        Assert.Equal((1, 9), await OffsetAsync(client));
        one.MemberEpoch = 0;
        one = await ShareScript.JoinAsync(client, "g", "jobs");
        Assert.Equal("1-9*1", await one.FetchAsync());

        await one.CloseSessionAsync();
        one.MemberEpoch = -1;
        Assert.Equal(Ok, (await one.HeartbeatAsync()).ErrorCode);
        var deleted = await client.CallAsync(new DeleteShareGroupOffsetsRequest { GroupId = "g", Topics = [new() { TopicName = "jobs" }, new() { TopicName = "no" }] });
        Assert.Equal([Ok, ErrorCode.UnknownTopicOrPartition], deleted.Responses.Select(topic => topic.ErrorCode));
        Assert.Empty((await client.CallAsync(new DescribeShareGroupOffsetsRequest { Groups = [new() { GroupId = "g" }] })).Groups[0].Topics);
        Assert.Equal(Ok, Assert.Single((await client.CallAsync(new DeleteGroupsRequest { GroupsNames = ["g"] })).Results).ErrorCode);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await client.CallAsync(new DescribeShareGroupOffsetsRequest { Groups = [new() { GroupId = "g" }] })).Groups[0].ErrorCode);
    }

    private static Task<AlterShareGroupOffsetsResponse> AlterAsync(TestClient client, long offset) =>
        client.CallAsync(new AlterShareGroupOffsetsRequest { GroupId = "g", Topics = [new() { TopicName = "jobs", Partitions = [new() { PartitionIndex = 0, StartOffset = offset }] }] });

    private static async Task<(long Start, long Lag)> OffsetAsync(TestClient client)
    {
        var answer = await client.CallAsync(new DescribeShareGroupOffsetsRequest { Groups = [new() { GroupId = "g" }] });
        var part = Assert.Single(Assert.Single(answer.Groups[0].Topics).Partitions);
        Assert.Equal(Ok, part.ErrorCode);
        return (part.StartOffset, part.Lag);
    }

    [Fact]
    public async Task Groups_are_listed_and_described_with_their_type()
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await ShareScript.JoinAsync(client, "g", "jobs");
        var listed = Assert.Single((await client.CallAsync(new ListGroupsRequest { TypesFilter = ["share"] })).Groups);
        Assert.Equal(("g", "share", "Stable"), (listed.GroupId, listed.GroupType, listed.GroupState));
        var described = Assert.Single((await client.CallAsync(new ShareGroupDescribeRequest { GroupIds = ["g"] })).Groups);
        Assert.Equal("simple", described.AssignorName);
        Assert.Equal("jobs", Assert.Single(Assert.Single(described.Members).Assignment.TopicPartitions).TopicName);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await client.CallAsync(new ConsumerGroupHeartbeatRequest
        {
            GroupId = "g",
            MemberId = "c",
            RebalanceTimeoutMs = 1000,
            SubscribedTopicNames = ["jobs"],
            TopicPartitions = [],
        })).ErrorCode);
    }

    [Theory]
    [InlineData("", "m")]
    [InlineData("g", "")]
    [InlineData("g", "0123456789012345678901234567890123456789")]
    public async Task Hostile_names_are_refused(string group, string member)
    {
        var (broker, client) = await StartAsync();
        await using var _ = broker;
        await using var __ = client;
        await client.CallAsync(new FindCoordinatorRequest { CoordinatorKeys = ["g"] });
        Assert.Equal(ErrorCode.InvalidRequest, (await client.CallAsync(new ShareGroupHeartbeatRequest { GroupId = group, MemberId = member, SubscribedTopicNames = ["jobs"] })).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await client.CallAsync(new ShareFetchRequest { GroupId = group, MemberId = member })).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await client.CallAsync(new ShareAcknowledgeRequest { GroupId = group, MemberId = member, ShareSessionEpoch = 1 })).ErrorCode);
    }
}
