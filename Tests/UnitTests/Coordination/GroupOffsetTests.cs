using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

public sealed class GroupOffsetTests
{
    [Fact]
    public async Task What_was_committed_is_read_back()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(5, metadata: "note");
        await script.Commit(7, partition: 1);
        var fetched = await script.Coordinator.OffsetFetchAsync(Context(9), new OffsetFetchRequest
        {
            Groups = [new() { GroupId = Group, Topics = [new() { Name = "orders", PartitionIndexes = [0, 1, 2] }] }],
        });
        var partitions = fetched.Groups[0].Topics[0].Partitions;
        Assert.Equal([5, 7, -1], partitions.Select(partition => partition.CommittedOffset));
        Assert.Equal(["note", "", ""], partitions.Select(partition => partition.Metadata));
        Assert.All(partitions, partition => Assert.Equal(ErrorCode.None, partition.ErrorCode));
    }

    [Fact]
    public async Task Old_versions_read_one_group()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(5);
        var all = await script.Coordinator.OffsetFetchAsync(Context(5), new OffsetFetchRequest { GroupId = Group, Topics = null });
        Assert.Equal(5, all.Topics[0].Partitions[0].CommittedOffset);
        Assert.Empty(all.Groups);
        var none = await script.Coordinator.OffsetFetchAsync(Context(1), new OffsetFetchRequest
        {
            GroupId = "nobody",
            Topics = [new() { Name = "orders", PartitionIndexes = [3] }],
        });
        Assert.Equal((-1, ErrorCode.None), (none.Topics[0].Partitions[0].CommittedOffset, none.Topics[0].Partitions[0].ErrorCode));
    }

    [Fact]
    public async Task Version_0_is_told_with_each_partition_that_this_is_not_the_coordinator()
    {
        var script = new GroupScript();
        var none = await script.Coordinator.OffsetFetchAsync(Context(0), new OffsetFetchRequest
        {
            GroupId = Group,
            Topics = [new() { Name = "orders", PartitionIndexes = [3] }],
        });
        Assert.Equal(ErrorCode.NotCoordinator, none.Topics[0].Partitions[0].ErrorCode);
        var later = await script.Coordinator.OffsetFetchAsync(Context(2), new OffsetFetchRequest { GroupId = Group });
        Assert.Equal(ErrorCode.NotCoordinator, later.ErrorCode);
    }

    [Fact]
    public async Task Commits_of_strangers_and_old_generations_are_refused()
    {
        var script = await GroupScript.StartAsync();
        Assert.Equal(ErrorCode.GroupIdNotFound, await CommitError(script.Commit(1, "m", 1)));
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitError(script.Commit(1, "m", 1, version: 8)));
        var joined = await script.JoinAlone();
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitError(script.Commit(1, "stranger", joined.GenerationId)));
        Assert.Equal(ErrorCode.IllegalGeneration, await CommitError(script.Commit(1, joined.MemberId, joined.GenerationId - 1)));
        Assert.Equal(ErrorCode.UnknownMemberId, await CommitError(script.Commit(1)));
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(1, joined.MemberId, joined.GenerationId)));
        Assert.Equal("orders-0=1", await script.Offsets());
    }

    [Fact]
    public async Task Between_join_and_assignment_commits_must_wait()
    {
        var script = await GroupScript.StartAsync();
        var joined = await await script.JoinNew();
        Assert.Equal(ErrorCode.RebalanceInProgress, await CommitError(script.Commit(1, joined.MemberId, joined.GenerationId)));
    }

    [Fact]
    public async Task A_group_without_members_takes_commits_from_outside()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.JoinAlone();
        await script.Leave(joined.MemberId);
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(9)));
        Assert.Equal("orders-0=9", await script.Offsets());
    }

    [Fact]
    public async Task Metadata_has_a_limit()
    {
        var script = await GroupScript.StartAsync();
        Assert.Equal(ErrorCode.OffsetMetadataTooLarge, await CommitError(script.Commit(1, metadata: new string('x', 4_097))));
        Assert.Equal(ErrorCode.None, await CommitError(script.Commit(1, metadata: new string('x', 4_096))));
    }

    [Fact]
    public async Task A_million_commits_for_unknown_partitions_are_answered_and_leave_nothing()
    {
        var script = await GroupScript.StartAsync();
        var response = await script.Coordinator.OffsetCommitAsync(Context(9), new OffsetCommitRequest
        {
            GroupId = Group,
            Topics =
            [
                new()
                {
                    Name = "nowhere",
                    Partitions = Enumerable.Range(0, 1_000_000).Select(index =>
                        new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = index }).ToList(),
                },
            ],
        });
        Assert.Equal(1_000_000, response.Topics[0].Partitions.Count(partition => partition.ErrorCode == ErrorCode.UnknownTopicOrPartition));
        Assert.Empty(script.Partition.Batches);
        Assert.Equal("Dead", await script.State());
    }

    [Fact]
    public async Task A_commit_too_large_for_one_batch_is_refused_whole()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(1);
        var response = await script.Coordinator.OffsetCommitAsync(Context(9), new OffsetCommitRequest
        {
            GroupId = Group,
            Topics =
            [
                new()
                {
                    Name = "orders",
                    Partitions = Enumerable.Range(0, 30_000).Select(index =>
                        new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = index, CommittedOffset = 2 }).ToList(),
                },
            ],
        });
        Assert.Equal(30_000, response.Topics[0].Partitions.Count(partition => partition.ErrorCode == ErrorCode.InvalidCommitOffsetSize));
        Assert.Equal("orders-0=1", await script.Offsets());
    }

    [Fact]
    public async Task Deleting_a_large_group_takes_several_batches()
    {
        var script = await GroupScript.StartAsync();
        for (var i = 0; i < 100; i++)
            await script.Commit(i, partition: i);
        script.Partition.MaxBatchBytes = 1_000;
        var before = script.Partition.Batches.Count;
        Assert.Equal(ErrorCode.None, await script.Delete());
        Assert.True(script.Partition.Batches.Count - before > 1);
        Assert.Equal("", await script.Offsets());
        Assert.Equal("Dead", await script.State());
        await script.FailOverAsync();
        Assert.Equal("", await script.Offsets());
    }

    [Fact]
    public async Task A_group_with_members_is_not_deleted()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.JoinAlone();
        Assert.Equal(ErrorCode.NonEmptyGroup, await script.Delete());
        await script.Leave(joined.MemberId);
        Assert.Equal(ErrorCode.None, await script.Delete());
        Assert.Equal(ErrorCode.GroupIdNotFound, await script.Delete());
        Assert.Equal("Dead", await script.State());
        Assert.Equal(ErrorCode.GroupIdNotFound, (await script.Describe(version: 6)).ErrorCode);
    }

    [Fact]
    public async Task Offsets_of_topics_that_nobody_reads_can_be_deleted()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.JoinAlone(metadata: Subscription("orders"));
        await script.Commit(1, joined.MemberId, joined.GenerationId);
        await script.Commit(2, joined.MemberId, joined.GenerationId, topic: "payments");
        var response = await script.Coordinator.OffsetDeleteAsync(Context(0), new OffsetDeleteRequest
        {
            GroupId = Group,
            Topics =
            [
                new() { Name = "orders", Partitions = [new() { PartitionIndex = 0 }] },
                new() { Name = "payments", Partitions = [new() { PartitionIndex = 0 }, new() { PartitionIndex = 9 }] },
            ],
        });
        Assert.Equal(ErrorCode.GroupSubscribedToTopic, response.Topics[0].Partitions[0].ErrorCode);
        Assert.All(response.Topics[1].Partitions, partition => Assert.Equal(ErrorCode.None, partition.ErrorCode));
        Assert.Equal("orders-0=1", await script.Offsets());
    }

    [Fact]
    public async Task Deleting_offsets_needs_a_group_that_allows_it()
    {
        var script = await GroupScript.StartAsync();
        var request = new OffsetDeleteRequest { GroupId = Group };
        Assert.Equal(ErrorCode.GroupIdNotFound, (await script.Coordinator.OffsetDeleteAsync(Context(0), request)).ErrorCode);
        await await script.JoinNew();
        Assert.Equal(ErrorCode.None, (await script.Coordinator.OffsetDeleteAsync(Context(0), request)).ErrorCode);
        var connect = await script.Join(version: 3, group: "connect", type: "connect");
        Assert.Equal(ErrorCode.None, connect.ErrorCode);
        request.GroupId = "connect";
        Assert.Equal(ErrorCode.NonEmptyGroup, (await script.Coordinator.OffsetDeleteAsync(Context(0), request)).ErrorCode);
        request.GroupId = "";
        Assert.Equal(ErrorCode.InvalidGroupId, (await script.Coordinator.OffsetDeleteAsync(Context(0), request)).ErrorCode);
    }

    [Fact]
    public async Task Offsets_of_a_deleted_topic_are_forgotten()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(1);
        await script.Commit(2, topic: "payments");
        await script.Coordinator.ForgetPartitionsAsync([new TopicPartition("orders", 0)]);
        Assert.Equal("payments-0=2", await script.Offsets());
        await script.FailOverAsync();
        Assert.Equal("payments-0=2", await script.Offsets());
    }

    [Fact]
    public async Task Offsets_without_members_expire_after_the_retention()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(1);
        script.Clock.Advance(TimeSpan.FromDays(6));
        await script.Commit(2, partition: 1);
        script.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal("orders-1=2", await script.Offsets());
        script.Clock.Advance(TimeSpan.FromDays(6));
        Assert.Equal("Dead", await script.State());
    }

    [Fact]
    public async Task Offsets_of_an_empty_group_count_from_when_it_became_empty()
    {
        var script = await GroupScript.StartAsync(options => options with { OffsetsRetentionMs = 300_000, OffsetsRetentionCheckIntervalMs = 1_000 });
        var joined = await script.JoinAlone();
        await script.Commit(1, joined.MemberId, joined.GenerationId);
        for (var i = 0; i < 100; i++)
        {
            script.Clock.AdvanceMs(9_000);
            Assert.Equal(ErrorCode.None, await script.Heartbeat(joined));
        }
        await script.Leave(joined.MemberId);
        script.Clock.AdvanceMs(299_000);
        Assert.Equal("orders-0=1", await script.Offsets());
        script.Clock.AdvanceMs(2_000);
        Assert.Equal("Dead", await script.State());
    }

    [Fact]
    public async Task Members_that_read_other_topics_do_not_keep_an_offset_alive()
    {
        var script = await GroupScript.StartAsync(options => options with { OffsetsRetentionMs = 300_000, OffsetsRetentionCheckIntervalMs = 1_000 });
        var joined = await script.JoinAlone(metadata: Subscription("orders"));
        await script.Commit(1, joined.MemberId, joined.GenerationId);
        await script.Commit(2, joined.MemberId, joined.GenerationId, topic: "payments");
        for (var i = 0; i < 40; i++)
        {
            script.Clock.AdvanceMs(9_000);
            Assert.Equal(ErrorCode.None, await script.Heartbeat(joined));
        }
        Assert.Equal("orders-0=1", await script.Offsets());
    }

    [Fact]
    public async Task A_retention_of_the_commits_own_is_kept_over_a_failover()
    {
        var script = await GroupScript.StartAsync();
        await script.Commit(1, version: 4, retentionMs: 3_600_000);
        await script.FailOverAsync();
        script.Clock.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal("orders-0=1", await script.Offsets());
        script.Clock.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal("", await script.Offsets());
    }

    [Fact]
    public async Task Groups_are_listed_by_state_and_type()
    {
        var script = await GroupScript.StartAsync();
        await script.JoinAlone();
        await script.Commit(1, group: "tool");
        Assert.Equal("shop:consumer:Stable:classic tool::Empty:classic", await List(new ListGroupsRequest()));
        Assert.Equal("tool::Empty:classic", await List(new ListGroupsRequest { StatesFilter = ["empty"] }));
        Assert.Equal("", await List(new ListGroupsRequest { TypesFilter = ["consumer"] }));
        Assert.Equal("shop:consumer:Stable:classic", await List(new ListGroupsRequest { TypesFilter = ["Classic"], StatesFilter = ["Stable", "Dead"] }));

        async Task<string> List(ListGroupsRequest request) => string.Join(' ',
            (await script.Coordinator.ListGroupsAsync(Context(5), request)).Groups
            .Select(group => $"{group.GroupId}:{group.ProtocolType}:{group.GroupState}:{group.GroupType}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_stable_group_is_described_with_its_members()
    {
        var script = await GroupScript.StartAsync();
        var joined = await script.JoinAlone("all", "till-1");
        var group = await script.Describe();
        Assert.Equal(("Stable", "consumer", "range"), (group.GroupState, group.ProtocolType, group.ProtocolData));
        var member = Assert.Single(group.Members);
        Assert.Equal((joined.MemberId, "till-1", "app", "/127.0.0.1"), (member.MemberId, member.GroupInstanceId, member.ClientId, member.ClientHost));
        Assert.Equal(("m", "all"), (Text(member.MemberMetadata), Text(member.MemberAssignment)));
    }
}
