using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

public sealed class ConsumerGroupTests
{
    private static async Task<GroupScript> StartAsync(int partitions = 4, Func<OrleansLog.Coordination.GroupOptions, OrleansLog.Coordination.GroupOptions>? configure = null)
    {
        var script = await GroupScript.StartAsync(configure);
        script.Topics.Create("orders", partitions);
        return script;
    }

    private static async Task<(ScriptedConsumer A, ScriptedConsumer B)> JoinTwo(GroupScript script)
    {
        var (a, b) = (new ScriptedConsumer(script, "a", "orders"), new ScriptedConsumer(script, "b", "orders"));
        await a.Join();
        await b.Join();
        await a.HeartbeatOnly();
        await a.Heartbeat();
        await b.Heartbeat();
        return (a, b);
    }

    private static async Task<string> State(GroupScript script, string group = Group) => (await Describe(script, group)).GroupState;

    private static async Task<ConsumerGroupDescribeResponse.DescribedGroup> Describe(GroupScript script, string group = Group) =>
        (await script.Coordinator.DescribeConsumerGroupsAsync(Context(1), new ConsumerGroupDescribeRequest { GroupIds = [group] })).Groups[0];

    [Fact]
    public async Task A_member_alone_reads_everything()
    {
        var script = await StartAsync();
        var a = new ScriptedConsumer(script, "a", "orders", "nowhere");
        Assert.Equal(ErrorCode.None, await a.Join());
        Assert.Equal((1, "orders-0 orders-1 orders-2 orders-3"), (a.Epoch, a.Reads));
        Assert.Equal("Stable", await State(script));
    }

    [Fact]
    public async Task A_second_member_gets_its_share_only_after_the_first_has_let_go()
    {
        var script = await StartAsync();
        var (a, b) = (new ScriptedConsumer(script, "a", "orders"), new ScriptedConsumer(script, "b", "orders"));
        await a.Join();
        await b.Join();
        Assert.Equal("", b.Reads);
        var told = await a.SendRaw(new ConsumerGroupHeartbeatRequest { MemberEpoch = a.Epoch });
        Assert.Equal((1, 2), (told.MemberEpoch, told.Assignment!.TopicPartitions[0].Partitions.Count));
        await b.HeartbeatOnly();
        Assert.Equal("", b.Reads);
        Assert.Equal("Reconciling", await State(script));

        a.Owned.ExceptWith(["orders-2", "orders-3"]);
        Assert.Equal(ErrorCode.None, await a.Heartbeat());
        await b.HeartbeatOnly();
        Assert.Equal(("orders-0 orders-1", "orders-2 orders-3"), (a.Reads, b.Reads));
        Assert.Equal((2, 2, "Stable"), (a.Epoch, b.Epoch, await State(script)));
    }

    [Fact]
    public async Task What_a_leaving_member_read_goes_to_the_others()
    {
        var script = await StartAsync();
        var (a, b) = await JoinTwo(script);
        Assert.Equal(ErrorCode.None, await b.Leave());
        Assert.Equal("Assigning", await State(script));
        await a.HeartbeatOnly();
        Assert.Equal("orders-0 orders-1 orders-2 orders-3", a.Reads);
        await a.Leave();
        Assert.Equal("Empty", await State(script));
    }

    [Fact]
    public async Task A_silent_member_is_given_up_after_the_session_time_out()
    {
        var script = await StartAsync();
        var (a, b) = await JoinTwo(script);
        script.Clock.AdvanceMs(script.Options.ConsumerSessionTimeoutMs - 1);
        await a.HeartbeatOnly();
        script.Clock.AdvanceMs(1);
        Assert.Equal(ErrorCode.UnknownMemberId, await b.HeartbeatOnly());
        await a.HeartbeatOnly();
        Assert.Equal(4, a.Owned.Count);
    }

    [Fact]
    public async Task A_group_may_have_sessions_and_heartbeats_of_its_own_from_the_next_heartbeat_on()
    {
        var script = await StartAsync();
        var (a, b) = await JoinTwo(script);
        script.Timings[Group] = script.Options.Timings with { ConsumerSessionTimeoutMs = 60_000, ConsumerHeartbeatIntervalMs = 12_000 };
        Assert.Equal(12_000, (await b.SendRaw(new ConsumerGroupHeartbeatRequest { MemberEpoch = b.Epoch })).HeartbeatIntervalMs);
        await a.HeartbeatOnly();
        script.Clock.AdvanceMs(59_999);
        await a.HeartbeatOnly();
        Assert.Equal(2, (await Describe(script)).Members.Count);
        script.Clock.AdvanceMs(1);
        Assert.Equal(ErrorCode.UnknownMemberId, await b.HeartbeatOnly());
        script.Timings.Clear();
        Assert.Equal(script.Options.ConsumerHeartbeatIntervalMs, (await a.SendRaw(new ConsumerGroupHeartbeatRequest { MemberEpoch = a.Epoch })).HeartbeatIntervalMs);
    }

    [Fact]
    public async Task A_member_that_does_not_let_go_in_time_is_fenced()
    {
        var script = await StartAsync();
        var (a, b) = (new ScriptedConsumer(script, "a", "orders") { RebalanceTimeoutMs = 20_000 }, new ScriptedConsumer(script, "b", "orders"));
        await a.Join();
        await b.Join();
        Assert.Equal(ErrorCode.None, (await a.SendRaw(new() { MemberEpoch = 1 })).ErrorCode);
        for (var waited = 0; waited < 19_000; waited += 1_000)
        {
            script.Clock.AdvanceMs(1_000);
            Assert.Equal(ErrorCode.None, (await a.SendRaw(new() { MemberEpoch = 1, TopicPartitions = a.OwnedIds() })).ErrorCode);
        }
        script.Clock.AdvanceMs(1_000);
        Assert.Equal(ErrorCode.UnknownMemberId, await a.Heartbeat());
        await b.HeartbeatOnly();
        Assert.Equal(4, b.Owned.Count);
    }

    [Fact]
    public async Task Members_in_a_wrong_epoch_are_fenced_and_join_again()
    {
        var script = await StartAsync();
        var (a, b) = await JoinTwo(script);
        Assert.Equal(ErrorCode.FencedMemberEpoch, (await a.SendRaw(new() { MemberEpoch = 99 })).ErrorCode);
        Assert.Equal(ErrorCode.FencedMemberEpoch, (await a.SendRaw(new() { MemberEpoch = 1 })).ErrorCode);
        Assert.Equal(ErrorCode.None, await a.Join());
        Assert.Equal(("orders-0 orders-1", "orders-2 orders-3"), (a.Reads, b.Reads));
        Assert.Equal(ErrorCode.UnknownMemberId, (await new ScriptedConsumer(script, "c", "orders").SendRaw(new() { MemberEpoch = 1 })).ErrorCode);
    }

    [Fact]
    public async Task A_member_that_missed_an_answer_goes_on_from_the_epoch_before()
    {
        var script = await StartAsync();
        var a = new ScriptedConsumer(script, "a", "orders");
        await a.Join();
        await a.Resubscribe("orders", "news");
        script.Topics.Create("news", 1);
        var epoch = a.Epoch;
        var lost = await a.SendRaw(new() { MemberEpoch = epoch });
        Assert.Equal(epoch + 1, lost.MemberEpoch);
        var told = await a.SendRaw(new() { MemberEpoch = epoch, TopicPartitions = a.OwnedIds() });
        Assert.Equal((ErrorCode.None, epoch + 1), (told.ErrorCode, told.MemberEpoch));
    }

    [Fact]
    public async Task New_partitions_and_topics_are_given_out_and_deleted_ones_taken_back()
    {
        var script = await StartAsync(1);
        var a = new ScriptedConsumer(script, "a", "orders", "news");
        await a.Join();
        script.Topics.Create("orders", 2);
        await a.HeartbeatOnly();
        Assert.Equal((2, "orders-0 orders-1"), (a.Epoch, a.Reads));
        script.Topics.Create("news", 1);
        await a.HeartbeatOnly();
        Assert.Equal((3, "news-0 orders-0 orders-1"), (a.Epoch, a.Reads));
        script.Topics.Delete("orders");
        await a.HeartbeatOnly();
        await a.Heartbeat();
        Assert.Equal((4, "news-0"), (a.Epoch, a.Reads));
        script.Topics.Create("unrelated", 1);
        await a.HeartbeatOnly();
        Assert.Equal(4, a.Epoch);
    }

    [Fact]
    public async Task An_expression_matches_whole_names_now_and_later()
    {
        var script = await StartAsync(1);
        script.Topics.Create("my-orders", 1);
        var a = new ScriptedConsumer(script, "a") { Pattern = "ord.*|news" };
        await a.Join();
        Assert.Equal("orders-0", a.Reads);
        script.Topics.Create("ordinary", 1);
        script.Topics.Create("news", 1);
        await a.HeartbeatOnly();
        Assert.Equal("news-0 orders-0 ordinary-0", a.Reads);
        Assert.Equal("ord.*|news", (await Describe(script)).Members[0].SubscribedTopicRegex);
    }

    [Theory]
    [InlineData("(a")]
    [InlineData(@"(.)\1")]
    [InlineData("(?=a)b")]
    [InlineData("a)|(b")]
    [InlineData("((a{1000}){1000}){1000}")]
    public async Task Expressions_that_cannot_be_matched_in_bounded_time_are_refused(string pattern)
    {
        var script = await StartAsync();
        Assert.Equal(ErrorCode.InvalidRegularExpression, await new ScriptedConsumer(script, "a") { Pattern = pattern }.Join());
        Assert.Equal(ErrorCode.InvalidRegularExpression, await new ScriptedConsumer(script, "a") { Pattern = new string('a', 5_000) }.Join());
    }

    [Theory]
    [InlineData("uniform", "a-0 a-1", "b-0 b-1")]
    [InlineData("range", "a-0 b-0", "a-1 b-1")]
    public async Task The_assignor_is_the_one_that_members_ask_for(string assignor, string first, string second)
    {
        var script = await StartAsync();
        script.Topics.Create("a", 2);
        script.Topics.Create("b", 2);
        var (m, n) = (new ScriptedConsumer(script, "m", "a", "b") { Assignor = assignor }, new ScriptedConsumer(script, "n", "a", "b") { Assignor = assignor });
        await m.Join();
        await n.Join();
        await m.HeartbeatOnly();
        await m.Heartbeat();
        await n.Heartbeat();
        Assert.Equal((first, second, assignor), (m.Reads, n.Reads, (await Describe(script)).AssignorName));
        Assert.Equal(ErrorCode.UnsupportedAssignor, await new ScriptedConsumer(script, "o", "a") { Assignor = "sticky" }.Join());
    }

    [Fact]
    public async Task A_static_member_that_comes_back_goes_on_where_it_was()
    {
        var script = await StartAsync();
        var (a, till) = (new ScriptedConsumer(script, "a", "orders"), new ScriptedConsumer(script, "t1", "orders") { Instance = "till" });
        await till.Join();
        await a.Join();
        await till.HeartbeatOnly();
        await till.Heartbeat();
        await a.Heartbeat();
        var (before, epoch) = (till.Reads, till.Epoch);
        var reborn = new ScriptedConsumer(script, "t2", "orders") { Instance = "till" };
        Assert.Equal(ErrorCode.UnreleasedInstanceId, await reborn.Join());
        Assert.Equal(ErrorCode.None, await till.Leave(ConsumerGroupHeartbeatRequest.LeaveStaticEpoch));
        await a.HeartbeatOnly();
        Assert.Equal(ErrorCode.None, await reborn.Join());
        Assert.Equal((before, epoch), (reborn.Reads, reborn.Epoch));
        Assert.Equal(ErrorCode.FencedInstanceId, (await till.SendRaw(new() { MemberEpoch = epoch })).ErrorCode);
        Assert.Equal(ErrorCode.FencedInstanceId, await till.Leave(ConsumerGroupHeartbeatRequest.LeaveStaticEpoch));
    }

    [Fact]
    public async Task A_static_member_that_stays_away_is_given_up_when_its_session_ends()
    {
        var script = await StartAsync();
        var (a, till) = (new ScriptedConsumer(script, "a", "orders"), new ScriptedConsumer(script, "t1", "orders") { Instance = "till" });
        await till.Join();
        await a.Join();
        await till.Leave(ConsumerGroupHeartbeatRequest.LeaveStaticEpoch);
        script.Clock.AdvanceMs(script.Options.ConsumerSessionTimeoutMs - 1);
        await a.HeartbeatOnly();
        script.Clock.AdvanceMs(1);
        await a.HeartbeatOnly();
        Assert.Equal(4, a.Owned.Count);
    }

    [Fact]
    public async Task Offsets_are_committed_in_the_members_own_epoch_only()
    {
        var script = await StartAsync();
        var (a, _) = await JoinTwo(script);
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(7, "a", a.Epoch)));
        Assert.Equal(ErrorCode.StaleMemberEpoch, await CommitError(script.Commit(7, "a", a.Epoch - 1)));
        Assert.Equal(ErrorCode.UnsupportedVersion, await CommitError(script.Commit(7, "a", a.Epoch, version: 8)));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitError(script.Commit(7, "x", a.Epoch)));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitError(script.Commit(7)));
        Assert.Equal("orders-0=7", await script.Offsets());
        Assert.Equal(ErrorCode.StaleMemberEpoch, await FetchError("a", 1));
        Assert.Equal(ErrorCode.UnknownMemberId, await FetchError("x", 1));
        Assert.Equal(ErrorCode.None, await FetchError("a", a.Epoch));

        async Task<ErrorCode> FetchError(string member, int epoch) => (await script.Coordinator.OffsetFetchAsync(
            Context(9), new OffsetFetchRequest { Groups = [new() { GroupId = Group, MemberId = member, MemberEpoch = epoch, Topics = null }] })).Groups[0].ErrorCode;
    }

    [Fact]
    public async Task Everything_is_as_it_was_after_a_failover()
    {
        var script = await StartAsync();
        var (a, b) = await JoinTwo(script);
        var c = new ScriptedConsumer(script, "c") { Pattern = "o.*", Instance = "till" };
        await c.Join();
        await script.Commit(3, "a", a.Epoch);
        var before = await Describe(script);
        await script.FailOverAsync();
        Assert.Equivalent(before, await Describe(script), strict: true);
        for (var round = 0; round < 3; round++)
        {
            foreach (var member in (ScriptedConsumer[])[a, b, c])
                Assert.Equal(ErrorCode.None, await member.Heartbeat());
        }
        Assert.Equal(4, a.Owned.Union(b.Owned).Union(c.Owned).Count());
        Assert.Equal((4, "Stable"), (a.Owned.Count + b.Owned.Count + c.Owned.Count, await State(script)));
    }

    [Fact]
    public async Task A_failed_append_takes_a_join_back()
    {
        var script = await StartAsync();
        var a = new ScriptedConsumer(script, "a", "orders");
        await a.Join();
        script.Partition.AppendError = ErrorCode.NotEnoughReplicas;
        var b = new ScriptedConsumer(script, "b", "orders");
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, await b.Join());
        script.Partition.AppendError = ErrorCode.None;
        Assert.Equal((1, 1), ((await Describe(script)).Members.Count, (await Describe(script)).GroupEpoch));
        script.Topics.Create("orders", 5);
        await a.HeartbeatOnly();
        Assert.Equal((2, 5), (a.Epoch, a.Owned.Count));
    }

    [Fact]
    public async Task An_empty_group_is_deleted_whole()
    {
        var script = await StartAsync();
        var (a, b) = await JoinTwo(script);
        await script.Commit(3, "a", a.Epoch);
        Assert.Equal(ErrorCode.NonEmptyGroup, await script.Delete());
        await a.Leave();
        await b.Leave();
        Assert.Equal(ErrorCode.None, await script.Delete());
        Assert.Equal(ErrorCode.GroupIdNotFound, (await Describe(script)).ErrorCode);
        await script.FailOverAsync();
        Assert.Equal(ErrorCode.GroupIdNotFound, (await Describe(script)).ErrorCode);
        Assert.Empty((await script.Coordinator.ListGroupsAsync(Context(5), new ListGroupsRequest())).Groups);
    }

    [Fact]
    public async Task Groups_are_listed_by_their_type()
    {
        var script = await StartAsync();
        await new ScriptedConsumer(script, "a", "orders").Join();
        await script.JoinAlone(group: "old");
        Assert.Equal([(Group, "consumer", "Stable")], await List("Consumer"));
        Assert.Equal([("old", "classic", "Stable")], await List("classic"));
        Assert.Equal(2, (await List()).Count);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await script.Describe(version: 6)).ErrorCode);
        Assert.Equal(ErrorCode.GroupIdNotFound, (await Describe(script, "old")).ErrorCode);

        async Task<List<(string, string, string)>> List(params string[] types) =>
            (await script.Coordinator.ListGroupsAsync(Context(5), new ListGroupsRequest { TypesFilter = [.. types] })).Groups
            .ConvertAll(group => (group.GroupId, group.GroupType, group.GroupState));
    }

    [Fact]
    public async Task A_group_takes_no_more_members_than_it_may()
    {
        var script = await StartAsync(configure: options => options with { MaxConsumerGroupSize = 1 });
        await new ScriptedConsumer(script, "a", "orders").Join();
        Assert.Equal(ErrorCode.GroupMaxSizeReached, await new ScriptedConsumer(script, "b", "orders").Join());
    }

    public static TheoryData<ConsumerGroupHeartbeatRequest> Malformed() =>
    [
        new ConsumerGroupHeartbeatRequest { RebalanceTimeoutMs = 1, TopicPartitions = [] },
        new ConsumerGroupHeartbeatRequest { SubscribedTopicNames = ["orders"], TopicPartitions = [] },
        new ConsumerGroupHeartbeatRequest { SubscribedTopicNames = ["orders"], RebalanceTimeoutMs = 1 },
        new ConsumerGroupHeartbeatRequest { SubscribedTopicNames = ["orders"], RebalanceTimeoutMs = 1, TopicPartitions = [new()] },
        new ConsumerGroupHeartbeatRequest { MemberEpoch = -2 },
        new ConsumerGroupHeartbeatRequest { MemberEpoch = -3 },
    ];

    [Theory]
    [MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public async Task Malformed_heartbeats_are_refused(ConsumerGroupHeartbeatRequest request)
    {
        var script = await StartAsync();
        Assert.Equal(ErrorCode.InvalidRequest, (await new ScriptedConsumer(script, "a").SendRaw(request)).ErrorCode);
    }

    [Fact]
    public async Task A_member_of_the_first_version_is_given_its_id()
    {
        var script = await StartAsync();
        var request = new ConsumerGroupHeartbeatRequest { SubscribedTopicNames = ["orders"], RebalanceTimeoutMs = 1, TopicPartitions = [] };
        Assert.Equal(ErrorCode.InvalidRequest, (await new ScriptedConsumer(script, "").SendRaw(request)).ErrorCode);
        var joined = await new ScriptedConsumer(script, "").SendRaw(request, version: 0);
        Assert.Equal((ErrorCode.None, 36), (joined.ErrorCode, joined.MemberId!.Length));
    }
}
