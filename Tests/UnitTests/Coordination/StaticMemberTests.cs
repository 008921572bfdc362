using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

public sealed class StaticMemberTests
{
    [Fact]
    public async Task A_restarted_member_keeps_its_assignment_without_a_rebalance()
    {
        var script = await GroupScript.StartAsync();
        var before = await script.JoinAlone("all", "till-1");
        var after = await script.Join(instanceId: "till-1");
        Assert.Equal((ErrorCode.None, 1), (after.ErrorCode, after.GenerationId));
        Assert.NotEqual(before.MemberId, after.MemberId);
        Assert.True(after.SkipAssignment);
        Assert.Equal("all", Text((await script.Sync(after, instanceId: "till-1")).Assignment));
        Assert.Equal("Stable", await script.State());
    }

    [Fact]
    public async Task A_restarted_leader_of_an_old_version_is_not_told_that_it_leads()
    {
        var script = await GroupScript.StartAsync();
        var before = await script.JoinAlone("all", "till-1");
        var after = await script.Join(instanceId: "till-1", version: 5);
        Assert.Equal(before.MemberId, after.Leader);
        Assert.Empty(after.Members);
    }

    [Fact]
    public async Task The_former_self_of_a_restarted_member_is_fenced()
    {
        var script = await GroupScript.StartAsync();
        var before = await script.JoinAlone("all", "till-1");
        await script.Join(instanceId: "till-1");
        Assert.Equal(ErrorCode.FencedInstanceId, await script.Heartbeat(before, "till-1"));
        Assert.Equal(ErrorCode.FencedInstanceId, (await script.Sync(before, instanceId: "till-1")).ErrorCode);
        Assert.Equal(ErrorCode.FencedInstanceId, (await script.Join(before.MemberId, "till-1")).ErrorCode);
        Assert.Equal(ErrorCode.FencedInstanceId, (await script.Leave(before.MemberId, "till-1")).Members[0].ErrorCode);
        Assert.Equal(ErrorCode.FencedInstanceId, await CommitError(
            script.Commit(1, before.MemberId, before.GenerationId, instanceId: "till-1")));
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(before, "till-2"));
    }

    [Fact]
    public async Task A_restart_while_the_former_self_waits_answers_it_at_once()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone();
        var before = script.Join(instanceId: "till-1");
        var after = script.Join(instanceId: "till-1");
        Assert.Equal(ErrorCode.FencedInstanceId, (await before).ErrorCode);
        Assert.False(after.IsCompleted);
    }

    [Fact]
    public async Task A_restarted_member_is_still_there_after_a_failover()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone("all", "till-1");
        var after = await script.Join(instanceId: "till-1");
        await script.FailOverAsync();
        Assert.Equal(ErrorCode.None, await script.Heartbeat(after, "till-1"));
        Assert.Equal("all", Text((await script.Sync(after, instanceId: "till-1")).Assignment));
    }

    [Fact]
    public async Task A_member_restarted_with_another_protocol_rebalances()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone("all", "till-1");
        var after = await script.Join(instanceId: "till-1", protocols: ["sticky", "range"]);
        Assert.Equal(ErrorCode.None, after.ErrorCode);
        Assert.Equal((2, "sticky"), (after.GenerationId, after.ProtocolName));
    }

    [Fact]
    public async Task An_absent_member_stays_in_the_group_until_its_session_times_out()
    {
        var script = await GroupScript.StartAsync();
        var dynamic = await script.JoinAlone();
        var joining = script.Join(instanceId: "till-1", sessionTimeoutMs: 300_000);
        var (leader, till) = (await script.Join(dynamic.MemberId), await joining);
        await script.Sync(leader, new() { [till.MemberId] = "1" });
        await script.Sync(till, instanceId: "till-1");

        var rejoin = script.Join(leader.MemberId);
        for (var waited = 0; waited < RebalanceTimeoutMs; waited += 5_000)
            script.Clock.AdvanceMs(5_000);
        Assert.Equal(2, (await rejoin).Members.Count);
    }

    [Fact]
    public async Task An_administrator_takes_a_member_out_by_its_instance_id()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone("all", "till-1");
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.Leave("", "till-2")).Members[0].ErrorCode);
        Assert.Equal(ErrorCode.None, (await script.Leave("", "till-1")).Members[0].ErrorCode);
        Assert.Equal("Empty", await script.State());
    }

    [Fact]
    public async Task Several_members_leave_in_one_request()
    {
        var script = await GroupScript.StartAsync();
        var (leader, follower) = await script.JoinTwo();
        var left = await script.Coordinator.LeaveGroupAsync(Context(5), new LeaveGroupRequest
        {
            GroupId = Group,
            Members = [new() { MemberId = leader.MemberId }, new() { MemberId = "stranger" }, new() { MemberId = follower.MemberId }],
        });
        Assert.Equal(
            [ErrorCode.None, ErrorCode.UnknownMemberId, ErrorCode.None], left.Members.Select(member => member.ErrorCode));
        Assert.Equal("Empty", await script.State());
    }
}
