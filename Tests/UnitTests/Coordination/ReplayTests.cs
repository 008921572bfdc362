using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;
using static OrleansLog.UnitTests.Coordination.GroupScript;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>Whatever clients do, and however appends fail: reading the log again gives the state that was served.</summary>
public sealed class ReplayTests
{
    private const int Steps = 3_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Reading_the_log_again_gives_the_same_state(int seed)
    {
        var run = new RandomRun(seed);
        await run.Runtime.LoadAsync();
        for (var step = 0; step < Steps; step++)
        {
            run.Step();
            Assert.All(run.Shard.Store.Groups.OfType<ClassicGroup>(), CheckInvariants);
            if (step % 100 == 0)
                Assert.Equal(Reload(run.Partition), Dump(run.Shard));
        }
        Assert.Equal(Reload(run.Partition), Dump(run.Shard));
        Assert.True(run.Partition.Batches.Count > Steps / 20, "the run did too little to show anything");
        Assert.True(run.Stable > Steps / 100, "the run assigned too little to show anything");

        await run.Runtime.DisposeAsync();
        Assert.All(run.Answers, answer => Assert.True(answer.IsCompletedSuccessfully));
    }

    private static void CheckInvariants(ClassicGroup group)
    {
        Assert.Equal(group.Members.Count(member => member.Join is not null), group.JoiningCount);
        Assert.All(group.Members.Where(member => member.IsStatic), member => Assert.Equal(member.Id, group.MemberOfInstance(member.InstanceId)));
        Assert.All(group.PendingSync, memberId => Assert.NotNull(group.Find(memberId)));
        Assert.True(group.MemberCount == 0 || group.Find(group.LeaderId!) is not null, "the leader is no member");
        if (group.State == ClassicGroupState.Stable)
        {
            Assert.Equal(group.Metadata!.Members.Select(member => member.MemberId), group.Members.Select(member => member.Id));
            Assert.Equal((group.Metadata.Generation, group.Metadata.Leader), (group.Generation, group.LeaderId));
            Assert.DoesNotContain(group.Members, member => member.Join is not null || member.Sync is not null);
        }
        else if (group.IsEmpty)
        {
            Assert.Equal(0, group.MemberCount);
        }
    }

    private static string Reload(MemoryPartition partition)
    {
        var shard = RandomRun.NewShard();
        foreach (var record in partition.Records)
            shard.Load(Offset.Zero, record);
        return Dump(shard);
    }

    /// <summary>All that is durable.</summary>
    private static string Dump(GroupShard shard)
    {
        var text = new StringBuilder();
        foreach (var group in shard.Store.Groups.Where(group => group.HasMetadata || group.Offsets.Count > 0).OrderBy(group => group.Id, StringComparer.Ordinal))
        {
            text.AppendLine(group.Id);
            if (group is ClassicGroup { Metadata: { } metadata })
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {metadata.ProtocolType} {metadata.Protocol} {metadata.Generation} {metadata.Leader} {metadata.CurrentStateTimestamp}");
                foreach (var member in metadata.Members)
                    text.AppendLine(CultureInfo.InvariantCulture, $"    {member.MemberId} {member.GroupInstanceId} {member.ClientId} {member.ClientHost} {member.RebalanceTimeout} {member.SessionTimeout} {Text(member.Subscription)} {Text(member.Assignment)}");
            }
            foreach (var (partition, offset) in group.Offsets.OrderBy(entry => entry.Key.ToString(), StringComparer.Ordinal))
                text.AppendLine(CultureInfo.InvariantCulture, $"  {partition} {offset}");
        }
        return text.ToString();
    }

    private sealed class ThreePartitions : ITopicDirectory
    {
        public object Edition => this;
        public IEnumerable<string> Names => [];
        public bool Contains(string topic, int partition) => partition < 3;
        public TopicShape? Find(string topic) => null;
        public string? NameOf(Guid topicId) => null;
    }

    private sealed class RandomRun
    {
        private static readonly GroupOptions Options = new() { PartitionCount = 1, InitialRebalanceDelayMs = 50, MaxGroupSize = 6 };

        private readonly Random _random;
        private readonly ManualClock _clock = new();
        private readonly List<(string Group, JoinGroupResponse Joined, string? Instance)> _members = [];
        private readonly List<(string Group, string? Instance, Task<JoinGroupResponse> Join)> _joins = [];
        private int _ids;

        public RandomRun(int seed)
        {
            _random = new Random(seed);
            Runtime = new ShardRuntime<GroupShard>(new ShardPorts<GroupShard>(
                "test", () => Shard = new GroupShard(Options, new GroupPorts(_clock, new ThreePartitions(), () => new Guid(++_ids, 0, 0, new byte[8]), NullLogger.Instance)),
                Partition, Partition, _clock, new ShardLimits(), NullLogger.Instance));
        }

        public MemoryPartition Partition { get; } = new();
        public ShardRuntime<GroupShard> Runtime { get; }
        public GroupShard Shard { get; private set; } = NewShard();
        public List<Task> Answers { get; } = [];
        public int Stable { get; private set; }

        public static GroupShard NewShard() =>
            new(Options, new GroupPorts(new ManualClock(), new ThreePartitions(), () => Guid.Empty, NullLogger.Instance));

        public void Step()
        {
            Partition.AppendError = _random.Next(20) == 0 ? ErrorCode.KafkaStorageError : ErrorCode.None;
            Collect();
            switch (_random.Next(12))
            {
                case 0 or 1: Join(Group, "", Instance()); break;
                case 2 or 3: WithMember(member => Join(member.Group, member.Joined.MemberId, member.Instance)); break;
                case 4 or 5 or 6: WithMember(Sync); break;
                case 7: WithMember(Heartbeat); break;
                case 8: WithMember(Commit); break;
                case 9: Commit((Group, new JoinGroupResponse(), null)); break;
                case 10: Administer(); break;
                default: _clock.AdvanceMs(_random.Next(2_000)); break;
            }
        }

        private string Group => $"g{_random.Next(3)}";

        private string? Instance() => _random.Next(3) == 0 ? $"i{_random.Next(3)}" : null;

        private void Collect()
        {
            foreach (var (group, instance, join) in _joins.Where(pending => pending.Join.IsCompleted).ToList())
            {
                _joins.Remove((group, instance, join));
                if (join.Result.ErrorCode is ErrorCode.None or ErrorCode.MemberIdRequired)
                    _members.Add((group, join.Result, instance));
            }
            while (_members.Count > 40)
                _members.RemoveAt(0);
        }

        private void WithMember(Action<(string Group, JoinGroupResponse Joined, string? Instance)> act)
        {
            if (_members.Count > 0)
                act(_members[_members.Count - 1 - _random.Next(Math.Min(_members.Count, 8))]);
        }

        private void Join(string group, string memberId, string? instance)
        {
            var request = new JoinGroupRequest
            {
                GroupId = group,
                MemberId = memberId,
                GroupInstanceId = instance,
                SessionTimeoutMs = 10_000,
                RebalanceTimeoutMs = 20_000,
                ProtocolType = "consumer",
                Protocols = [new() { Name = "range", Metadata = Bytes(Subscription($"t{_random.Next(2)}")) }],
            };
            var answer = Runtime.RunAsync(
                (shard, reply, now) => shard.JoinGroup(Context((short)_random.Next(3, 10)), request, reply, now),
                error => new JoinGroupResponse { ErrorCode = error });
            Answers.Add(answer);
            _joins.Add((group, instance, answer));
        }

        private void Sync((string Group, JoinGroupResponse Joined, string? Instance) member)
        {
            var request = new SyncGroupRequest
            {
                GroupId = member.Group,
                MemberId = member.Joined.MemberId,
                GenerationId = member.Joined.GenerationId,
                GroupInstanceId = member.Instance,
                Assignments = member.Joined.Members.ConvertAll(each => new SyncGroupRequest.SyncGroupRequestAssignment
                {
                    MemberId = each.MemberId,
                    Assignment = Bytes($"a{_random.Next(100)}"),
                }),
            };
            var answer = Runtime.RunAsync((shard, reply, now) => shard.SyncGroup(request, reply, now), error => new SyncGroupResponse { ErrorCode = error });
            Answers.Add(answer);
            if (answer.IsCompleted && answer.Result.ErrorCode == ErrorCode.None)
                Stable++;
        }

        private void Heartbeat((string Group, JoinGroupResponse Joined, string? Instance) member) =>
            Run(shard => shard.Heartbeat(
                new HeartbeatRequest { GroupId = member.Group, MemberId = member.Joined.MemberId, GenerationId = member.Joined.GenerationId }, Now));

        private void Commit((string Group, JoinGroupResponse Joined, string? Instance) member)
        {
            var request = new OffsetCommitRequest
            {
                GroupId = member.Group,
                MemberId = member.Joined.MemberId,
                GenerationIdOrMemberEpoch = member.Joined.GenerationId,
                RetentionTimeMs = _random.Next(4) == 0 ? 60_000 : -1,
                Topics = [new() { Name = $"t{_random.Next(3)}", Partitions = [new() { PartitionIndex = _random.Next(4), CommittedOffset = _random.Next(1_000), CommittedMetadata = "é" }] }],
            };
            Run(shard => shard.OffsetCommit(Context(8), request, Now));
        }

        private void Administer()
        {
            var group = Group;
            switch (_random.Next(8))
            {
                case 0: Run(shard => shard.DeleteGroup(group, Now)); break;
                case 1:
                    Run(shard => shard.OffsetDelete(
                        new OffsetDeleteRequest { GroupId = group, Topics = [new() { Name = "t2", Partitions = [new() { PartitionIndex = 1 }] }] }, Now));
                    break;
                case 2: Run(shard => shard.ForgetPartitions([new TopicPartition("t1", 1)], Now)); break;
                case 3: _clock.AdvanceMs(700_000); break;
                default:
                    WithMember(member => Run(shard => shard.LeaveGroup(
                        Context(3), new LeaveGroupRequest { GroupId = member.Group, Members = [new() { MemberId = member.Joined.MemberId }] }, Now)));
                    break;
            }
        }

        private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

        private void Run<T>(Func<GroupShard, CoordinatorResult<T>> handler) where T : class =>
            Answers.Add(Runtime.RunAsync<T>((shard, _, _) => handler(shard), _ => null!));
    }
}
