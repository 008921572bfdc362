using System.Globalization;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>
/// Random lives of a group: members of both protocols join, leave, crash, come back and dawdle; topics come, grow and go;
/// the coordinator moves, and its appends fail. No partition is ever read by two members, and when things calm down none
/// is read by nobody. Each seed is a run of its own.
/// </summary>
public sealed class ConsumerGroupPropertyTests
{
    private const int StepMs = 2_000;

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 150)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task No_partition_is_read_twice_and_none_by_nobody(int seed)
    {
        var run = new Run(await GroupScript.StartAsync(), new Random(seed));
        for (var step = 0; step < 120; step++)
            await run.StepAsync();
        await run.CalmDownAsync();
        run.Grow();
        await run.CalmDownAsync();
    }

    private sealed class Run
    {
        private readonly GroupScript _script;
        private readonly Random _random;
        private readonly List<Reader> _members = [];
        private readonly List<string> _trace = [];
        private int _names;

        public Run(GroupScript script, Random random)
        {
            (_script, _random) = (script, random);
            _script.Topics.Create("a", 5);
            _script.Topics.Create("b", 3);
        }

        public async Task StepAsync()
        {
            switch (_random.Next(20))
            {
                case 0 or 1 when _members.Count < 7: await JoinAsync(); break;
                case 2 when _members.Count > 0: await LeaveAsync(); break;
                case 3 when _members.Count > 0: Crash(); break;
                case 4: ChangeTopics(); break;
                case 5: Note("fail over"); await _script.FailOverAsync(); break;
                case 6: await FailAsync(); break;
                case 7 or 8: await PassTimeAsync(); break;
                default: await HeartbeatAsync(); break;
            }
            Check();
        }

        /// <summary>Nobody comes or goes any more, and yet there is something new to read.</summary>
        public void Grow() => _script.Topics.Create("a", (_script.Topics.Find("a")?.PartitionCount ?? 0) + 1);

        /// <summary>Whoever is there goes on until nothing moves any more; then every partition has a reader.</summary>
        public async Task CalmDownAsync()
        {
            Note("calm down");
            for (var round = 0; round < 60; round++)
            {
                _script.Clock.AdvanceMs(StepMs);
                foreach (var member in _members)
                {
                    member.LetGo();
                    await member.HeartbeatAsync();
                    Check();
                }
            }
            var wanted = _members.SelectMany(member => member.Topics).Distinct()
                .SelectMany(topic => Enumerable.Range(0, _script.Topics.Find(topic)?.PartitionCount ?? 0).Select(index => $"{topic}-{index}"));
            Assert.Equal(wanted.Order(StringComparer.Ordinal), _members.SelectMany(member => member.Held).Order(StringComparer.Ordinal));
        }

        private void Note(string what) => _trace.Add(what);

        private async Task JoinAsync()
        {
            var topics = _random.Next(3) switch { 0 => new[] { "a" }, 1 => ["b"], _ => ["a", "b"] };
            Reader member = _random.Next(3) == 0
                ? new ClassicReader(_script, $"c{++_names}", topics, _random.Next(2) == 0)
                : new ModernReader(_script, $"m{++_names}", topics);
            Note($"{member.Name} joins");
            _members.Add(member);
            await member.HeartbeatAsync();
        }

        private async Task LeaveAsync()
        {
            var member = Take();
            Note($"{member.Name} leaves");
            await member.LeaveAsync();
        }

        private void Crash() => Note($"{Take().Name} crashes");

        private Reader Take()
        {
            var at = _random.Next(_members.Count);
            var member = _members[at];
            _members.RemoveAt(at);
            return member;
        }

        private void ChangeTopics()
        {
            var topic = _random.Next(2) == 0 ? "a" : "b";
            var count = _script.Topics.Find(topic)?.PartitionCount ?? 0;
            Note($"{topic} is changed");
            if (_random.Next(4) == 0)
                Delete(topic);
            else if (count < 9)
                _script.Topics.Create(topic, count + 1);
        }

        /// <summary>What is gone can no longer be read; a topic made anew under the same name is another one.</summary>
        private void Delete(string topic)
        {
            _script.Topics.Delete(topic);
            foreach (var member in _members)
                member.Drop(partition => partition.StartsWith(topic, StringComparison.Ordinal));
        }

        /// <summary>One request whose append is refused.</summary>
        private async Task FailAsync()
        {
            Note("an append fails");
            _script.Partition.AppendError = ErrorCode.NotEnoughReplicas;
            await HeartbeatAsync();
            _script.Partition.AppendError = ErrorCode.None;
        }

        private async Task HeartbeatAsync()
        {
            if (_members.Count == 0)
                return;
            var member = _members[_random.Next(_members.Count)];
            Note($"{member.Name} is heard of");
            if (_random.Next(3) > 0)
                member.LetGo();
            await member.HeartbeatAsync();
        }

        /// <summary>Who is not given up in the meantime lets itself be heard.</summary>
        private async Task PassTimeAsync()
        {
            Note("time passes");
            for (var passed = 0; passed < 3; passed++)
            {
                _script.Clock.AdvanceMs(StepMs);
                foreach (var member in _members)
                {
                    member.LetGo();
                    await member.HeartbeatAsync();
                }
            }
        }

        private void Check()
        {
            var twice = _members.SelectMany(member => member.Held).GroupBy(partition => partition).Where(readers => readers.Count() > 1).Select(readers => readers.Key).ToList();
            Assert.True(twice.Count == 0, $"{string.Join(", ", twice)} read twice after:\n{string.Join('\n', _trace.TakeLast(25))}");
        }
    }

    private abstract class Reader(string name, string[] topics)
    {
        public string Name => name;
        public string[] Topics => topics;

        /// <summary>What the member reads as <c>topic-partition</c>: what it is to give up is among it until it has let go.</summary>
        public HashSet<string> Held { get; protected set; } = [];

        /// <summary>Cannot read these any more.</summary>
        public abstract void Drop(Predicate<string> partitions);

        /// <summary>Stops reading what it has been told to give up.</summary>
        public abstract void LetGo();

        public abstract Task HeartbeatAsync();

        public abstract Task LeaveAsync();
    }

    private sealed class ModernReader(GroupScript script, string name, string[] topics) : Reader(name, topics)
    {
        private readonly ScriptedConsumer _consumer = new(script, name, topics);
        private HashSet<string> _given = [];
        private int _epoch;

        public override void Drop(Predicate<string> partitions)
        {
            Held.RemoveWhere(partitions);
            _given.RemoveWhere(partitions);
        }

        public override void LetGo() => Held.IntersectWith(_given);

        public override async Task HeartbeatAsync()
        {
            // Ids of topics that were deleted mean nothing to anybody.
            _consumer.Owned.Clear();
            _consumer.Owned.UnionWith(Held);
            var response = await _consumer.SendRaw(_epoch == 0
                ? new() { RebalanceTimeoutMs = 30_000, SubscribedTopicNames = [.. Topics], TopicPartitions = [] }
                : new() { MemberEpoch = _epoch, TopicPartitions = _consumer.OwnedIds() });
            if (response.ErrorCode is ErrorCode.FencedMemberEpoch or ErrorCode.UnknownMemberId or ErrorCode.GroupIdNotFound)
                (Held, _given, _epoch) = ([], [], 0);
            if (response.ErrorCode != ErrorCode.None)
                return;
            _epoch = response.MemberEpoch;
            if (response.Assignment is not { } assignment)
                return;
            _given = [.. assignment.TopicPartitions.SelectMany(topic => topic.Partitions.Select(index =>
                string.Create(CultureInfo.InvariantCulture, $"{script.Topics.NameOf(topic.TopicId)}-{index}")))];
            Held.UnionWith(_given);
        }

        public override async Task LeaveAsync()
        {
            Held.Clear();
            await _consumer.SendRaw(new() { MemberEpoch = ConsumerGroupHeartbeatRequest.LeaveEpoch });
        }
    }

    /// <summary>It lets go when it joins again, which is the only time that it can say so.</summary>
    private sealed class ClassicReader(GroupScript script, string name, string[] topics, bool isEager) : Reader(name, topics)
    {
        private ScriptedClassicConsumer _consumer = new(script, topics) { IsEager = isEager };
        public override void Drop(Predicate<string> partitions)
        {
            Held.RemoveWhere(partitions);
            _consumer.Owned.RemoveWhere(partitions);
        }

        public override void LetGo()
        {
        }

        public override async Task HeartbeatAsync()
        {
            var error = await _consumer.StepAsync();
            if (error is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration)
                _consumer = new ScriptedClassicConsumer(script, Topics) { IsEager = isEager };
            Held = [.. _consumer.Owned];
        }

        public override Task LeaveAsync()
        {
            Held.Clear();
            return _consumer.Leave();
        }
    }
}
