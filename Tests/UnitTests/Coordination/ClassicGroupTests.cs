using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

public sealed class ClassicGroupTests
{
    [Fact]
    public async Task A_new_member_is_given_an_id_and_leads_when_it_comes_back_with_it()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.Join();
        Assert.Equal(ErrorCode.MemberIdRequired, first.ErrorCode);
        Assert.StartsWith("app-", first.MemberId);

        var joined = await script.Join(first.MemberId);
        Assert.Equal((ErrorCode.None, 1), (joined.ErrorCode, joined.GenerationId));
        Assert.Equal(first.MemberId, joined.Leader);
        Assert.Equal([first.MemberId], joined.Members.Select(member => member.MemberId));
        Assert.Equal("CompletingRebalance", await script.State());

        var synced = await script.Sync(joined, new() { [joined.MemberId] = "all" });
        Assert.Equal("all", Text(synced.Assignment));
        Assert.Equal("Stable", await script.State());
        Assert.Equal(ErrorCode.None, await script.Heartbeat(joined));
    }

    [Fact]
    public async Task Before_version_4_a_member_joins_without_asking_for_an_id_first()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.Join(version: 3);
        Assert.Equal((ErrorCode.None, 1), (joined.ErrorCode, joined.GenerationId));
    }

    [Fact]
    public async Task A_second_member_makes_the_first_join_again_in_a_new_generation()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.JoinAlone();
        var second = await script.JoinNew();
        Assert.False(second.IsCompleted);
        Assert.Equal(ErrorCode.RebalanceInProgress, await script.Heartbeat(first));

        var again = await script.Join(first.MemberId);
        var follower = await second;
        Assert.Equal((2, 2), (again.GenerationId, follower.GenerationId));
        Assert.Equal(2, again.Members.Count);
        Assert.Empty(follower.Members);

        var waiting = script.Sync(follower);
        Assert.False(waiting.IsCompleted);
        await script.Sync(again, new() { [again.MemberId] = "0", [follower.MemberId] = "1" });
        Assert.Equal("1", Text((await waiting).Assignment));
        Assert.Equal(ErrorCode.IllegalGeneration, await script.Heartbeat(first));
        Assert.Equal(ErrorCode.None, await script.Heartbeat(follower));
    }

    [Fact]
    public async Task A_member_that_leaves_makes_the_others_rebalance()
    {
        var script = await GroupScript.StartAsync();
        var (leader, follower) = await script.JoinTwo();
        Assert.Equal(ErrorCode.None, (await script.Leave(leader.MemberId)).Members[0].ErrorCode);
        Assert.Equal(ErrorCode.RebalanceInProgress, await script.Heartbeat(follower));
        var again = await script.Join(follower.MemberId);
        Assert.Equal((follower.MemberId, 3), (again.Leader, again.GenerationId));
    }

    [Fact]
    public async Task The_last_member_leaves_an_empty_group_behind()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.JoinAlone();
        await script.Leave(joined.MemberId);
        Assert.Equal("Empty", await script.State());
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(joined));
        Assert.Equal(3, (await script.JoinAlone()).GenerationId);
    }

    [Fact]
    public async Task A_silent_member_is_out_when_its_session_times_out()
    {
        var script = await GroupScript.StartAsync();
        var (leader, follower) = await script.JoinTwo();
        script.Clock.AdvanceMs(SessionTimeoutMs - 1);
        Assert.Equal(ErrorCode.None, await script.Heartbeat(leader));
        script.Clock.AdvanceMs(1);
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(follower));
        Assert.Equal(ErrorCode.RebalanceInProgress, await script.Heartbeat(leader));
    }

    [Fact]
    public async Task A_commit_keeps_the_session_alive()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.JoinAlone();
        script.Clock.AdvanceMs(SessionTimeoutMs - 1);
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(1, joined.MemberId, joined.GenerationId)));
        script.Clock.AdvanceMs(SessionTimeoutMs - 1);
        Assert.Equal(ErrorCode.None, await script.Heartbeat(joined));
    }

    [Fact]
    public async Task A_member_that_does_not_join_again_is_out_after_the_rebalance_timeout()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.JoinAlone();
        var second = await script.JoinNew();
        for (var waited = 0; waited < RebalanceTimeoutMs; waited += 5_000)
        {
            Assert.False(second.IsCompleted);
            Assert.Equal(ErrorCode.RebalanceInProgress, await script.Heartbeat(first));
            script.Clock.AdvanceMs(5_000);
        }
        var joined = await second;
        Assert.Equal((2, joined.MemberId), (joined.GenerationId, joined.Leader));
        Assert.Single(joined.Members);
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(first));
    }

    [Fact]
    public async Task A_member_that_never_syncs_is_out_after_the_rebalance_timeout()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.JoinAlone();
        var second = await script.JoinNew();
        var (leader, follower) = (await script.Join(first.MemberId), await second);
        var leading = script.Sync(leader, new() { [leader.MemberId] = "0", [follower.MemberId] = "1" });
        Assert.True(leading.IsCompleted);
        for (var waited = 0; waited < RebalanceTimeoutMs; waited += 5_000)
        {
            Assert.Equal(ErrorCode.None, await script.Heartbeat(leader));
            Assert.Equal(ErrorCode.None, await script.Heartbeat(follower));
            script.Clock.AdvanceMs(5_000);
        }
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(follower));
        Assert.Equal(ErrorCode.RebalanceInProgress, await script.Heartbeat(leader));
    }

    [Fact]
    public async Task A_leader_that_never_assigns_is_replaced()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.JoinAlone();
        var second = await script.JoinNew();
        var (leader, follower) = (await script.Join(first.MemberId), await second);
        var waiting = script.Sync(follower);
        script.Clock.AdvanceMs(SessionTimeoutMs);
        Assert.Equal(ErrorCode.RebalanceInProgress, (await waiting).ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(leader));
        Assert.Equal(follower.MemberId, (await script.Join(follower.MemberId)).Leader);
    }

    [Fact]
    public async Task An_id_that_nobody_comes_back_with_is_forgotten_with_its_group()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.Join();
        Assert.Equal("Empty", await script.State());
        script.Clock.AdvanceMs(SessionTimeoutMs);
        Assert.Equal("Dead", await script.State());
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.Join(first.MemberId)).ErrorCode);
        Assert.Empty(script.Partition.Batches);
    }

    [Fact]
    public async Task The_first_rebalance_waits_for_more_members()
    {
        var script = await GroupScript.StartAsync(options => options with { InitialRebalanceDelayMs = 3_000 });
        var first = await script.JoinNew();
        script.Clock.AdvanceMs(2_000);
        var second = await script.JoinNew();
        script.Clock.AdvanceMs(2_999);
        Assert.False(first.IsCompleted);
        script.Clock.AdvanceMs(1_001);
        Assert.Equal((1, 1), ((await first).GenerationId, (await second).GenerationId));
        Assert.Equal(2, (await first).Members.Count);
    }

    [Fact]
    public async Task The_protocol_that_most_members_like_best_among_the_common_ones_is_chosen()
    {
        var script = await GroupScript.StartAsync(options => options with { InitialRebalanceDelayMs = 10 });
        var joins = new[]
        {
            script.Join(version: 3, protocols: ["sticky", "range", "roundrobin"]),
            script.Join(version: 3, protocols: ["roundrobin", "range"]),
            script.Join(version: 3, protocols: ["roundrobin", "range", "sticky"]),
        };
        script.Clock.AdvanceMs(100);
        Assert.All(await Task.WhenAll(joins), joined => Assert.Equal("roundrobin", joined.ProtocolName));
    }

    [Fact]
    public async Task A_member_that_cannot_follow_the_others_is_turned_away()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone();
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Join(protocols: ["other"])).ErrorCode);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Join(type: "connect")).ErrorCode);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Join(group: "none", protocols: [])).ErrorCode);
        Assert.Equal("Dead", await script.State("none"));
    }

    [Fact]
    public async Task A_leader_that_joins_again_rebalances_and_a_follower_with_nothing_new_does_not()
    {
        var script = await GroupScript.StartAsync();
        var (leader, follower) = await script.JoinTwo();
        Assert.Equal(2, (await script.Join(follower.MemberId)).GenerationId);
        Assert.Equal("Stable", await script.State());
        var again = script.Join(leader.MemberId);
        Assert.False(again.IsCompleted);
        Assert.Equal("PreparingRebalance", await script.State());
    }

    [Fact]
    public async Task A_full_group_takes_nobody_in()
    {
        var script = await GroupScript.StartAsync(options => options with { MaxGroupSize = 1 });
        var joined = await script.JoinAlone();
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await script.Join(version: 3)).ErrorCode);
        Assert.Equal(ErrorCode.None, await script.Heartbeat(joined));
    }

    [Fact]
    public async Task A_loaded_group_over_its_size_shrinks()
    {
        var large = await GroupScript.StartAsync();
        var (leader, follower) = await large.JoinTwo();
        var script = await GroupScript.StartAsync(options => options with { MaxGroupSize = 1 }, large.Partition);
        Assert.Equal("PreparingRebalance", await script.State());
        var kept = script.Join(leader.MemberId);
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await script.Join(follower.MemberId)).ErrorCode);
        Assert.Equal(3, (await kept).GenerationId);
    }

    [Fact]
    public async Task Ids_that_are_handed_out_are_bounded()
    {
        var script = await GroupScript.StartAsync(options => options with { MaxPendingMembers = 2 });
        await script.Join();
        await script.Join();
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await script.Join()).ErrorCode);
    }

    [Fact]
    public async Task Bad_names_and_timeouts_are_refused()
    {
        var script = await GroupScript.StartAsync();
        Assert.Equal(ErrorCode.InvalidGroupId, (await script.Join(group: "")).ErrorCode);
        Assert.Equal(ErrorCode.InvalidGroupId, (await script.Join(group: new string('x', 30_000))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidGroupId, await script.Heartbeat(new JoinGroupResponse(), group: ""));
        Assert.Equal(ErrorCode.InvalidGroupId, (await script.Leave("m", group: "")).ErrorCode);
        Assert.Equal(ErrorCode.InvalidGroupId, (await script.Sync(new JoinGroupResponse(), group: "")).ErrorCode);
        Assert.Equal(ErrorCode.InvalidSessionTimeout, (await script.Join(sessionTimeoutMs: 1)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidSessionTimeout, (await script.Join(sessionTimeoutMs: int.MaxValue)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await script.Join(instanceId: new string('x', 30_000))).ErrorCode);
    }

    [Fact]
    public async Task Strangers_and_old_generations_are_told_so()
    {
        var script = await GroupScript.StartAsync();
        var stranger = new JoinGroupResponse { MemberId = "stranger", GenerationId = 1, ProtocolType = "consumer", ProtocolName = "range" };
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(stranger));
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.Sync(stranger)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.Leave("stranger")).Members[0].ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.Join("stranger")).ErrorCode);
        Assert.Equal("Dead", await script.State());

        var joined = await script.JoinAlone();
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(stranger));
        var old = new JoinGroupResponse { MemberId = joined.MemberId, GenerationId = joined.GenerationId - 1, ProtocolType = "consumer", ProtocolName = "range" };
        Assert.Equal(ErrorCode.IllegalGeneration, await script.Heartbeat(old));
        Assert.Equal(ErrorCode.IllegalGeneration, (await script.Sync(old)).ErrorCode);
        var odd = new JoinGroupResponse { MemberId = joined.MemberId, GenerationId = joined.GenerationId, ProtocolType = "consumer", ProtocolName = "odd" };
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Sync(odd)).ErrorCode);
        odd.ProtocolName = null;
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Sync(odd)).ErrorCode);
    }

    [Fact]
    public async Task A_client_with_a_hostile_name_gets_a_member_id_that_can_be_stored()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.Coordinator.JoinGroupAsync(Context(3, new string('x', 32_767)), new JoinGroupRequest
        {
            GroupId = "\0\ud800\n../",
            SessionTimeoutMs = SessionTimeoutMs,
            ProtocolType = "consumer",
            Protocols = [new() { Name = "range" }],
        });
        Assert.Equal(ErrorCode.None, joined.ErrorCode);
        var synced = await script.Sync(joined, new() { [joined.MemberId] = "all" }, group: "\0\ud800\n../");
        Assert.Equal((ErrorCode.None, "all"), (synced.ErrorCode, Text(synced.Assignment)));
    }

    [Fact]
    public async Task Hundreds_of_members_come_together_in_one_generation()
    {
        const int Count = 500;
        var script = await GroupScript.StartAsync(options => options with { InitialRebalanceDelayMs = 100 });
        var joins = new List<Task<JoinGroupResponse>>();
        for (var i = 0; i < Count; i++)
            joins.Add(await script.JoinNew());
        script.Clock.AdvanceMs(1_000);
        var joined = await Task.WhenAll(joins);
        var leader = Assert.Single(joined, member => member.Members.Count > 0);
        Assert.Equal(Count, leader.Members.Count);
        var syncs = joined.Where(member => member != leader).Select(member => script.Sync(member)).ToList();
        await script.Sync(leader, joined.ToDictionary(member => member.MemberId, member => member.MemberId));
        var assigned = (await Task.WhenAll(syncs)).Select(sync => Text(sync.Assignment)).ToHashSet();
        Assert.Equal(Count - 1, assigned.Count);
        Assert.Single(script.Partition.Batches);
    }
}
