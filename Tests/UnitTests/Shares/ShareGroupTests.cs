using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Coordination;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Shares;

/// <summary>The coordinator's side of share groups: members, epochs, assignments, and the states that are made for them.</summary>
public sealed class ShareGroupTests
{
    private const ErrorCode Ok = ErrorCode.None;

    /// <summary>A coordinator on one partition, over share coordinators that only remember what they were asked.</summary>
    private sealed class Script : IShareStates
    {
        public readonly ManualClock Clock = new();
        public readonly FakeTopics Topics = new();
        public readonly MemoryPartition Log = new();
        public readonly ConcurrentDictionary<SharePartitionKey, (int Epoch, long Start)> States = new();
        private GroupCoordinator _coordinator = null!;

        public GroupOptions Options { get; init; } = new() { PartitionCount = 1 };

        /// <summary>What share coordinators answer.</summary>
        public ErrorCode Answer { get; set; }

        public async Task<Script> ElectAsync()
        {
            if (_coordinator is not null) await _coordinator.CloseAsync();
            _coordinator = new(Options, new GroupPorts(Clock, Topics, Guid.NewGuid, NullLogger.Instance) { ShareStates = this });
            await _coordinator.ElectAsync(0, LeaderEpoch.Zero, Log, Log);
            return this;
        }

        public Task<ShareGroupHeartbeatResponse> BeatAsync(string member, int epoch, params string[] topics) =>
            _coordinator.ShareGroupHeartbeatAsync(new("app", "/127.0.0.1", 1), new() { GroupId = "g", MemberId = member, MemberEpoch = epoch, SubscribedTopicNames = topics.Length == 0 ? null : [.. topics] });

        /// <summary>Heartbeats until the member has so many partitions; the states are made in the background.</summary>
        public async Task<ShareGroupHeartbeatResponse> JoinAsync(string member, int partitions, params string[] topics)
        {
            while (true)
            {
                var answer = await BeatAsync(member, 0, topics);
                Assert.Equal(Ok, answer.ErrorCode);
                if (Count(answer) == partitions) return answer;
                await Task.Yield();
            }
        }

        public Task<DeleteGroupsResponse> DeleteAsync() => _coordinator.DeleteGroupsAsync(new("app", "/127.0.0.1", 2), new() { GroupsNames = ["g"] });

        public Task<ShareGroupDescribeResponse> DescribeAsync() => _coordinator.DescribeShareGroupsAsync(new("app", "/127.0.0.1", 1), new() { GroupIds = ["g"] });

        public static int Count(ShareGroupHeartbeatResponse answer) => answer.Assignment?.TopicPartitions.Sum(topic => topic.Partitions.Count) ?? -1;

        public Task<ErrorCode> InitializeAsync(SharePartitionKey key, int stateEpoch, long startOffset, CancellationToken cancellationToken)
        {
            if (Answer == Ok) States[key] = (stateEpoch, startOffset);
            return Task.FromResult(Answer);
        }

        public Task<ErrorCode> DeleteAsync(SharePartitionKey key, CancellationToken cancellationToken)
        {
            if (Answer == Ok) States.TryRemove(key, out _);
            return Task.FromResult(Answer);
        }

        public Task<StoredShareState> ReadAsync(SharePartitionKey key, LeaderEpoch leaderEpoch, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ErrorCode> WriteAsync(SharePartitionKey key, ShareStateWrite write, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ShareStateSummary> SummarizeAsync(SharePartitionKey key, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private static async Task<Script> StartAsync(int partitions, GroupOptions? options = null)
    {
        var script = await new Script { Options = options ?? new() { PartitionCount = 1 } }.ElectAsync();
        script.Topics.Create("jobs", partitions);
        return script;
    }

    [Fact]
    public async Task A_member_is_assigned_partitions_once_they_have_a_state()
    {
        var script = await StartAsync(3);
        script.Answer = ErrorCode.CoordinatorNotAvailable;
        Assert.Equal(0, Script.Count(await script.BeatAsync("a", 0, "jobs")));
        Assert.Empty(script.States);
        script.Answer = Ok;
        while (script.States.Count < 3)
        {
            script.Clock.AdvanceMs(script.Options.ShareRetryDelayMs);
            await Task.Yield();
        }
        await script.JoinAsync("a", 3, "jobs");
        Assert.All(script.States.Values, state => Assert.Equal(-1, state.Start));
    }

    [Fact]
    public async Task Partitions_are_spread_over_members_and_members_over_partitions()
    {
        var script = await StartAsync(2);
        await script.JoinAsync("a", 2, "jobs");
        var b = await script.JoinAsync("b", 1, "jobs");
        Assert.Equal(1, Script.Count(await script.BeatAsync("a", 0, "jobs")));
        await script.JoinAsync("c", 1, "jobs");
        var described = Assert.Single((await script.DescribeAsync()).Groups);
        Assert.Equal(3, described.Members.Count);
        Assert.True(described.GroupEpoch > b.MemberEpoch);
        foreach (var member in new[] { "a", "b", "c" }) Assert.Equal(1, Script.Count(await script.BeatAsync(member, 0, "jobs")));
    }

    [Fact]
    public async Task Members_outlive_their_coordinator_and_are_fenced_by_their_epochs()
    {
        var script = await StartAsync(1);
        var joined = await script.JoinAsync("a", 1, "jobs");
        await script.ElectAsync();
        var next = await script.BeatAsync("a", joined.MemberEpoch);
        Assert.Equal((Ok, joined.MemberEpoch), (next.ErrorCode, next.MemberEpoch));
        Assert.Null(next.Assignment);
        Assert.Equal(ErrorCode.FencedMemberEpoch, (await script.BeatAsync("a", joined.MemberEpoch + 7)).ErrorCode);
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.BeatAsync("z", 3)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await script.BeatAsync("a", -3)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequest, (await script.BeatAsync("a", 0)).ErrorCode);
    }

    [Fact]
    public async Task A_silent_member_is_given_up()
    {
        var script = await StartAsync(1);
        await script.JoinAsync("a", 1, "jobs");
        script.Clock.AdvanceMs(script.Options.ShareSessionTimeoutMs + 1);
        Assert.Empty(Assert.Single((await script.DescribeAsync()).Groups).Members);
        Assert.Equal(ErrorCode.UnknownMemberId, (await script.BeatAsync("a", 1)).ErrorCode);
    }

    [Fact]
    public async Task A_group_is_no_larger_than_it_may_be()
    {
        var script = await StartAsync(1, new() { PartitionCount = 1, MaxShareGroupSize = 1 });
        await script.JoinAsync("a", 1, "jobs");
        Assert.Equal(ErrorCode.GroupMaxSizeReached, (await script.BeatAsync("b", 0, "jobs")).ErrorCode);
    }

    [Fact]
    public async Task A_deleted_group_leaves_no_state_behind()
    {
        var script = await StartAsync(3);
        var joined = await script.JoinAsync("a", 3, "jobs");
        Assert.Equal(ErrorCode.NonEmptyGroup, Assert.Single((await script.DeleteAsync()).Results).ErrorCode);
        Assert.Equal(Ok, (await script.BeatAsync("a", ShareGroupHeartbeatRequest.LeaveEpoch)).ErrorCode);
        Assert.Equal(Ok, Assert.Single((await script.DeleteAsync()).Results).ErrorCode);
        Assert.Empty(script.States);
        await script.ElectAsync();
        Assert.Equal(ErrorCode.GroupIdNotFound, Assert.Single((await script.DescribeAsync()).Groups).ErrorCode);
        Assert.True(joined.MemberEpoch > 0);
    }

    [Fact]
    public async Task A_coordinator_goes_on_making_states_where_the_former_one_stopped()
    {
        var script = await StartAsync(2);
        script.Answer = ErrorCode.CoordinatorNotAvailable;
        await script.BeatAsync("a", 0, "jobs");
        await script.ElectAsync();
        script.Answer = Ok;
        while (script.States.Count < 2)
        {
            script.Clock.AdvanceMs(script.Options.ShareRetryDelayMs);
            await Task.Yield();
        }
        await script.JoinAsync("a", 2, "jobs");
    }

    [Fact]
    public async Task New_partitions_of_a_topic_are_read_too()
    {
        var script = await StartAsync(1);
        await script.JoinAsync("a", 1, "jobs");
        script.Topics.Create("jobs", 4);
        await script.JoinAsync("a", 4, "jobs");
    }
}
