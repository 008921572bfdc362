using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>Election, loading, appends and commits, whatever the requests are.</summary>
public sealed class CoordinatorTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("shop", 12)]
    [InlineData("polygenelubricants", 0)] // its hash is int.MinValue
    [InlineData("orders-läden", 7)]
    public void A_groups_partition_is_what_Java_computes(string group, int partition) =>
        Assert.Equal(partition, GroupCoordinator.PartitionFor(group, 50));

    [Fact]
    public async Task Groups_of_partitions_that_were_not_elected_here_are_refused()
    {
        var script = new GroupScript();
        Assert.Equal(ErrorCode.NotCoordinator, (await script.Join()).ErrorCode);
        Assert.Equal(ErrorCode.NotCoordinator, await script.Heartbeat(new JoinGroupResponse()));
        Assert.Equal(ErrorCode.NotCoordinator, await CommitError(script.Commit(1)));
        Assert.Equal(ErrorCode.NotCoordinator, await script.Delete());
        Assert.Equal(ErrorCode.NotCoordinator, (await script.Describe()).ErrorCode);
    }

    [Fact]
    public async Task While_the_partition_is_loaded_requests_are_told_to_wait()
    {
        var gate = new TaskCompletionSource();
        var script = new GroupScript(partition: new MemoryPartition { ReadGate = gate.Task });
        var election = script.ElectAsync();
        Assert.False(election.IsCompleted);
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, (await script.Join()).ErrorCode);
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, await CommitError(script.Commit(1)));
        Assert.Equal(ErrorCode.None, await script.Heartbeat(new JoinGroupResponse()));
        Assert.Equal(ErrorCode.CoordinatorLoadInProgress, (await script.Coordinator.ListGroupsAsync(Context(5), new ListGroupsRequest())).ErrorCode);
        gate.SetResult();
        await election;
        Assert.Equal(ErrorCode.MemberIdRequired, (await script.Join()).ErrorCode);
    }

    [Fact]
    public async Task A_partition_that_cannot_be_read_is_not_served_until_it_is_elected_again()
    {
        var script = new GroupScript();
        script.Partition.ReadFailure = new IOException("the disk is gone");
        await Assert.ThrowsAsync<IOException>(() => script.ElectAsync());
        Assert.Equal(ErrorCode.NotCoordinator, (await script.Join()).ErrorCode);
        script.Partition.ReadFailure = null;
        await script.ElectAsync(1);
        Assert.Equal(ErrorCode.MemberIdRequired, (await script.Join()).ErrorCode);
    }

    [Fact]
    public async Task A_resignation_answers_everyone_who_waits()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone();
        var waiting = await script.JoinNew();
        await script.Coordinator.ResignAsync(0, new LeaderEpoch(0));
        Assert.Equal(ErrorCode.NotCoordinator, (await waiting).ErrorCode);
        Assert.Equal(ErrorCode.NotCoordinator, (await script.Join()).ErrorCode);
        Assert.Equal(0, script.Clock.TimerCount);
    }

    [Fact]
    public async Task A_late_resignation_of_an_earlier_epoch_changes_nothing()
    {
        var script = await GroupScript.StartAsync();
        await script.ElectAsync(5);
        await script.Coordinator.ResignAsync(0, new LeaderEpoch(4));
        await script.ElectAsync(3);
        Assert.Equal(ErrorCode.MemberIdRequired, (await script.Join()).ErrorCode);
        Assert.Equal(2, script.Partition.ReadCount);
    }

    [Fact]
    public async Task A_resignation_ends_a_load_that_does_not_end()
    {
        var script = new GroupScript(partition: new MemoryPartition { ReadGate = new TaskCompletionSource().Task });
        var election = script.ElectAsync();
        await script.Coordinator.ResignAsync(0);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => election);
    }

    [Fact]
    public async Task Nothing_is_answered_before_it_is_committed()
    {
        var script = await GroupScript.StartAsync();
        script.Partition.HoldCommits = true;
        var first = script.Commit(1);
        var second = script.Commit(2);
        var read = script.Offsets();
        Assert.Equal(2, script.Partition.Batches.Count);
        Assert.False(first.IsCompleted || second.IsCompleted || read.IsCompleted);
        script.Partition.CommitNext();
        Assert.Equal(ErrorCode.None, await CommitError(first));
        Assert.False(second.IsCompleted || read.IsCompleted);
        script.Partition.CommitNext();
        Assert.Equal(ErrorCode.None, await CommitError(second));
        Assert.Equal("orders-0=2", await read);
    }

    [Fact]
    public async Task What_comes_in_during_an_append_shares_the_next_one()
    {
        var script = await GroupScript.StartAsync();
        var gate = new TaskCompletionSource();
        script.Partition.AppendGate = gate.Task;
        var commits = Enumerable.Range(0, 100).Select(index => script.Commit(index, partition: index)).ToList();
        Assert.DoesNotContain(commits, commit => commit.IsCompleted);
        gate.SetResult();
        Assert.All(await Task.WhenAll(commits), commit => Assert.Equal(ErrorCode.None, commit.Topics[0].Partitions[0].ErrorCode));
        Assert.Equal([1, 99], script.Partition.Batches.Select(batch => batch.Count));
    }

    [Fact]
    public async Task Batches_do_not_outgrow_what_the_partition_takes()
    {
        var script = await GroupScript.StartAsync(partition: new MemoryPartition { MaxBatchBytes = 1_000 });
        var gate = new TaskCompletionSource();
        script.Partition.AppendGate = gate.Task;
        var commits = Enumerable.Range(0, 100).Select(index => script.Commit(index, partition: index)).ToList();
        gate.SetResult();
        Assert.All(await Task.WhenAll(commits), commit => Assert.Equal(ErrorCode.None, commit.Topics[0].Partitions[0].ErrorCode));
        Assert.True(script.Partition.Batches.Count > 5);
    }

    [Fact]
    public async Task A_refused_append_leaves_everything_as_it_was()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(1);
        script.Partition.AppendError = ErrorCode.KafkaStorageError;
        Assert.Equal(ErrorCode.NotCoordinator, await CommitError(script.Commit(2)));
        Assert.Equal(ErrorCode.NotCoordinator, await CommitError(script.Commit(2, group: "other")));
        Assert.Equal(ErrorCode.NotCoordinator, await script.Delete());
        Assert.Equal("orders-0=1", await script.Offsets());
        Assert.Equal("Dead", await script.State("other"));
        script.Partition.AppendError = ErrorCode.None;
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(3)));
        Assert.Equal("orders-0=3", await script.Offsets());
    }

    [Fact]
    public async Task A_refused_assignment_puts_the_group_back_to_its_last_generation()
    {
        var script = await GroupScript.StartAsync();
        var first = await script.JoinAlone("all");
        var second = await script.JoinNew();
        var (leader, follower) = (await script.Join(first.MemberId), await second);
        var waiting = script.Sync(follower);
        script.Partition.AppendError = ErrorCode.NotEnoughReplicas;
        var leading = script.Sync(leader, new() { [leader.MemberId] = "0", [follower.MemberId] = "1" });
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, (await leading).ErrorCode);
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, (await waiting).ErrorCode);
        script.Partition.AppendError = ErrorCode.None;

        var group = await script.Describe();
        Assert.Equal(("Stable", "all"), (group.GroupState, Text(Assert.Single(group.Members).MemberAssignment)));
        Assert.Equal(ErrorCode.None, await script.Heartbeat(first));
        Assert.Equal(ErrorCode.UnknownMemberId, await script.Heartbeat(follower));
        script.Clock.AdvanceMs(SessionTimeoutMs);
        Assert.Equal("Empty", await script.State());
    }

    [Fact]
    public async Task An_assignment_too_large_for_the_log_is_refused()
    {
        var script = await GroupScript.StartAsync(partition: new MemoryPartition { MaxBatchBytes = 1_000 });
        var joined = await await script.JoinNew();
        var synced = await script.Sync(joined, new() { [joined.MemberId] = new string('x', 1_000) });
        Assert.Equal(ErrorCode.UnknownServerError, synced.ErrorCode);
        Assert.Equal("Dead", await script.State());
        await script.JoinAlone("small");
    }

    [Fact]
    public async Task An_append_that_may_or_may_not_be_committed_makes_the_shard_load_again()
    {
        var script = await GroupScript.StartAsync();
        script.Partition.HoldCommits = true;
        var commit = script.Commit(1);
        script.Partition.CommitNext(ErrorCode.NotEnoughReplicasAfterAppend);
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, await CommitError(commit));
        Assert.Equal(2, script.Partition.ReadCount);
        Assert.Equal("orders-0=1", await script.Offsets());
    }

    [Fact]
    public async Task A_queue_that_is_full_refuses_more()
    {
        var script = await GroupScript.StartAsync(options => options with { MaxQueuedRequests = 1 });
        var gate = new TaskCompletionSource();
        script.Partition.AppendGate = gate.Task;
        var deciding = script.Commit(1);
        var queued = script.Commit(2);
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, await CommitError(script.Commit(3)));
        gate.SetResult();
        Assert.Equal(ErrorCode.None, await CommitError(deciding));
        Assert.Equal(ErrorCode.None, await CommitError(queued));
    }

    [Fact]
    public async Task A_caller_that_is_gone_stops_waiting()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone();
        using var gone = new CancellationTokenSource();
        var waiting = script.Coordinator.JoinGroupAsync(Context(3) with { Cancellation = gone.Token }, new JoinGroupRequest
        {
            GroupId = Group,
            SessionTimeoutMs = SessionTimeoutMs,
            ProtocolType = "consumer",
            Protocols = [new() { Name = "range" }],
        });
        Assert.False(waiting.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Records_of_unknown_kinds_are_passed_over()
    {
        var script = new GroupScript();
        script.Partition.Plant(
            new CoordinatorRecord(new byte[] { 0, 99, 1 }, new byte[] { 0, 0 }),
            new CoordinatorRecord(new byte[] { 0 }, new byte[] { 0, 0 }),
            new CoordinatorRecord(new byte[] { 0, 2, 0, 1, (byte)'g' }, new byte[] { 0, 77, 1, 2, 3 }),
            new CoordinatorRecord(new byte[] { 0, 1, 0, 1, (byte)'g', 0, 1, (byte)'t', 0, 0, 0, 0 }, new byte[] { 0, 77 }));
        await script.ElectAsync();
        Assert.Empty((await script.Coordinator.ListGroupsAsync(Context(5), new ListGroupsRequest())).Groups);
    }
}
