using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

public sealed class GroupMigrationTests
{
    private static async Task<GroupScript> StartAsync(GroupMigrationPolicy policy = GroupMigrationPolicy.Bidirectional)
    {
        var script = await GroupScript.StartAsync(options => options with { MigrationPolicy = policy });
        script.Topics.Create("orders", 4);
        return script;
    }

    private static async Task<string> TypeOf(GroupScript script) =>
        (await script.Coordinator.ListGroupsAsync(Context(5), new ListGroupsRequest())).Groups.Single().GroupType;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_group_moves_to_the_consumer_protocol_and_back_while_its_members_read(bool isEager)
    {
        var script = await StartAsync();
        var old = new ScriptedClassicConsumer(script, "orders") { IsEager = isEager };
        await old.Join();
        await script.Commit(5, old.Id, old.Generation);
        Assert.Equal(("classic", 4), (await TypeOf(script), old.Owned.Count));

        var modern = new ScriptedConsumer(script, "m", "orders");
        Assert.Equal(ErrorCode.None, await modern.Join());
        Assert.Equal(("consumer", ""), (await TypeOf(script), modern.Reads));
        Assert.Equal(ErrorCode.None, await old.Heartbeat());
        await modern.HeartbeatOnly();
        Assert.Equal((2, 2), (old.Owned.Count, modern.Owned.Count));
        Assert.Empty(old.Owned.Intersect(modern.Owned));
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(6, old.Id, old.Generation, version: 7)));
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitError(script.Commit(6, old.Id, old.Generation - 1)));

        Assert.Equal(ErrorCode.None, await modern.Leave());
        Assert.Equal("classic", await TypeOf(script));
        script.Clock.AdvanceMs(10);
        Assert.Equal(ErrorCode.None, await old.Heartbeat());
        Assert.Equal((4, "Stable", "orders-0=6"), (old.Owned.Count, await script.State(), await script.Offsets()));
    }

    [Fact]
    public async Task A_group_that_was_upgraded_is_the_same_after_a_failover()
    {
        var script = await StartAsync();
        var old = new ScriptedClassicConsumer(script, "orders");
        var modern = new ScriptedConsumer(script, "m", "orders");
        await old.Join();
        await modern.Join();
        await script.FailOverAsync();
        Assert.Equal("consumer", await TypeOf(script));
        await old.Heartbeat();
        await modern.HeartbeatOnly();
        Assert.Equal((2, 2), (old.Owned.Count, modern.Owned.Count));
        await modern.Leave();
        await script.FailOverAsync();
        Assert.Equal("classic", await TypeOf(script));
        Assert.Equal(ErrorCode.None, await old.Heartbeat());
        script.Topics.Create("orders", 5);
        for (var round = 0; round < 3; round++)
            await old.StepAsync();
        Assert.Equal(5, old.Owned.Count);
    }

    [Fact]
    public async Task A_failed_append_takes_an_upgrade_back()
    {
        var script = await StartAsync();
        var old = new ScriptedClassicConsumer(script, "orders");
        await old.Join();
        script.Partition.AppendError = ErrorCode.NotEnoughReplicas;
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, await new ScriptedConsumer(script, "m", "orders").Join());
        script.Partition.AppendError = ErrorCode.None;
        Assert.Equal("classic", await TypeOf(script));
        Assert.Equal(ErrorCode.None, await old.HeartbeatOnly());
        script.Clock.AdvanceMs(SessionTimeoutMs);
        Assert.Equal(ErrorCode.UnknownMemberId, await old.HeartbeatOnly());
    }

    [Fact]
    public async Task Whoever_waits_in_a_classic_group_is_called_back_when_it_is_upgraded()
    {
        var script = await StartAsync();
        var old = new ScriptedClassicConsumer(script, "orders");
        await old.Join();
        var first = await script.Join(metadata: Subscription("orders"), protocols: ["cooperative-sticky"]);
        var waiting = script.Join(first.MemberId, metadata: Subscription("orders"), protocols: ["cooperative-sticky"]);
        Assert.False(waiting.IsCompleted);
        await new ScriptedConsumer(script, "m", "orders").Join();
        Assert.Equal(ErrorCode.RebalanceInProgress, (await waiting).ErrorCode);
    }

    [Theory]
    [InlineData(GroupMigrationPolicy.Disabled)]
    [InlineData(GroupMigrationPolicy.Downgrade)]
    public async Task A_group_stays_classic_where_upgrades_are_not_allowed(GroupMigrationPolicy policy)
    {
        var script = await StartAsync(policy);
        var old = new ScriptedClassicConsumer(script, "orders");
        await old.Join();
        Assert.Equal(ErrorCode.GroupIdNotFound, await new ScriptedConsumer(script, "m", "orders").Join());
        await old.Leave();
        Assert.Equal(ErrorCode.None, await new ScriptedConsumer(script, "m", "orders").Join());
    }

    [Fact]
    public async Task A_group_of_another_protocol_type_is_not_upgraded()
    {
        var script = await StartAsync();
        await script.Join(type: "connect", instanceId: "worker");
        Assert.Equal(ErrorCode.GroupIdNotFound, await new ScriptedConsumer(script, "m", "orders").Join());
        await script.Leave("", "worker");
        Assert.Equal(ErrorCode.None, await new ScriptedConsumer(script, "m", "orders").Join());
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Join("w", type: "connect")).ErrorCode);
    }

    [Fact]
    public async Task A_classic_member_that_does_not_join_again_in_time_is_given_up()
    {
        var script = await StartAsync();
        var old = new ScriptedClassicConsumer(script, "orders");
        await old.Join();
        var modern = new ScriptedConsumer(script, "m", "orders");
        await modern.Join();
        for (var waited = 0; waited < RebalanceTimeoutMs; waited += 5_000)
        {
            Assert.Equal(ErrorCode.RebalanceInProgress, await old.HeartbeatOnly());
            await modern.HeartbeatOnly();
            script.Clock.AdvanceMs(5_000);
        }
        Assert.Equal(ErrorCode.UnknownMemberId, await old.HeartbeatOnly());
        await modern.HeartbeatOnly();
        Assert.Equal(4, modern.Owned.Count);
    }

    [Fact]
    public async Task A_classic_member_takes_the_place_of_a_static_one_of_the_consumer_protocol()
    {
        var script = await StartAsync();
        var modern = new ScriptedConsumer(script, "m", "orders") { Instance = "till" };
        await modern.Join();
        await modern.Leave(ConsumerGroupHeartbeatRequest.LeaveStaticEpoch);
        var old = new ScriptedClassicConsumer(script, "orders") { Instance = "till" };
        Assert.Equal(ErrorCode.None, await old.Join());
        Assert.Equal(4, old.Owned.Count);
        Assert.Equal(ErrorCode.RebalanceInProgress, await old.HeartbeatOnly());
        Assert.Equal("classic", await TypeOf(script));
        script.Clock.AdvanceMs(10);
        Assert.Equal(ErrorCode.None, await old.Heartbeat());
        Assert.Equal(4, old.Owned.Count);
    }

    [Fact]
    public async Task An_empty_consumer_group_becomes_a_classic_one()
    {
        var script = await StartAsync();
        var modern = new ScriptedConsumer(script, "m", "orders");
        await modern.Join();
        await modern.Leave();
        var old = new ScriptedClassicConsumer(script, "orders");
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, await old.Join());
        Assert.Equal(ErrorCode.None, await old.Join());
        Assert.Equal(("classic", 4), (await TypeOf(script), old.Owned.Count));
    }

    [Fact]
    public async Task A_subscription_that_cannot_be_read_does_not_come_into_a_consumer_group()
    {
        var script = await StartAsync();
        await new ScriptedConsumer(script, "m", "orders").Join();
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Join("x", metadata: "?")).ErrorCode);
        Assert.Equal(ErrorCode.InconsistentGroupProtocol, (await script.Join("x", metadata: "\0\0\u007f\0\0\0")).ErrorCode);
    }
}
