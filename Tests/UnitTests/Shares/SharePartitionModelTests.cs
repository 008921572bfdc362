using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Coordination.ShareStates;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Coordination;

namespace OrleansLog.UnitTests.Shares;

/// <summary>
/// A share-partition under everything that may happen to it, from one seed: members that acquire, acknowledge and fall silent,
/// leaders and coordinators that crash, writes that are lost, repeated and late, the log of states compacted. What was
/// acknowledged and answered is never delivered again, and nothing is lost.
/// </summary>
public sealed class SharePartitionModelTests
{
    private const int Steps = 400;

    public static IEnumerable<TheoryDataRow<int>> Seeds() => Enumerable.Range(0, 300).Select(seed => new TheoryDataRow<int>(seed));

    [Theory, MemberData(nameof(Seeds))]
    public void Every_record_is_dealt_with_once_it_is_answered_and_not_before(int seed)
    {
        var world = new World(seed);
        for (var step = 0; step < Steps; step++)
            world.Step();
        world.Finish();
    }

    /// <summary>A defect that the model has to find.</summary>
    public enum Bug
    {
        None,

        /// <summary>The answer does not wait until the change is stored.</summary>
        AnswersTooEarly,

        /// <summary>Writes that come late are not refused.</summary>
        TakesLateWrites,

        /// <summary>A new leader does not shut the former one out.</summary>
        DoesNotFence,

        /// <summary>Updates share one place in the compacted log.</summary>
        OnePlaceForAllUpdates,
    }

    [Theory]
    [InlineData(Bug.AnswersTooEarly)]
    [InlineData(Bug.TakesLateWrites)]
    [InlineData(Bug.DoesNotFence)]
    [InlineData(Bug.OnePlaceForAllUpdates)]
    public void A_planted_bug_is_found(Bug bug)
    {
        Assert.Contains(Enumerable.Range(0, 300), seed =>
        {
            try
            {
                var world = new World(seed) { Bug = bug };
                for (var step = 0; step < Steps; step++)
                    world.Step();
                world.Finish();
                return false;
            }
            catch (Exception found) when (found is Xunit.Sdk.XunitException or InvalidOperationException)
            {
                return true;
            }
        });
    }

    /// <summary>The log of states, its coordinator, and one leader at a time of one share-partition.</summary>
    private sealed class World
    {
        private static readonly SharePartitionKey Key = new("g", new Guid(1, 0, 0, new byte[8]), 0);
        private static readonly string[] MemberNames = ["a", "b", "c"];

        private readonly Random _random;
        private readonly FakeTopics _topics = new();
        private readonly List<CoordinatorRecord> _log = [];
        private readonly List<ShareStateWrite> _late = [];
        private readonly ShareSettings _settings;
        private readonly ShareOptions _options;
        private readonly Dictionary<long, int> _deliveries = [];
        private readonly Dictionary<long, int> _storedCounts = [];
        private readonly HashSet<long> _answered = [];
        private readonly HashSet<long> _given = [];
        private readonly List<(string Member, long Offset)> _held = [];
        private ShareStateShard _shard;
        private InFlightRecords _leader;
        private int _leaderEpoch;
        private int _stateEpoch;
        private long _number;
        private long _logEnd;
        private long _nowMs = 1_000_000;
        private (ShareStateWrite Write, List<(long Offset, ShareAcknowledgeType Type)> Said)? _storing;
        private List<(long Offset, ShareAcknowledgeType Type)> _said = [];

        public World(int seed)
        {
            _random = new(seed);
            _settings = new() { DeliveryCountLimit = 2 + _random.Next(4), MaxRecordLocks = 5 + _random.Next(40), RecordLockDurationMs = 1_000 };
            _options = new() { UpdatesPerSnapshot = _random.Next(8) };
            _topics.Create("jobs", 1, Key.TopicId);
            _shard = NewShard();
            Apply(_shard.Initialize(Key, 1, 0, _nowMs));
            _leader = null!;
            Lead();
        }

        public Bug Bug { get; init; }

        public void Step()
        {
            _nowMs += _random.Next(50);
            switch (_random.Next(100))
            {
                case < 15: _logEnd += _random.Next(6); break;
                case < 40: Acquire(); break;
                case < 70: Acknowledge(); break;
                case < 85: Store(); break;
                case < 88: _nowMs += 1_001; Expire(); break;
                case < 90: _leader.ReleaseAll(MemberNames[_random.Next(3)]); ForgetHeldThatAreNot(); break;
                case < 93: DeliverLate(); break;
                case < 95: Lead(); break;
                case < 97: FailOver(); break;
                case < 98: Compact(); break;
                default: LoseWrite(); break;
            }
        }

        /// <summary>Whoever is left handles everything that is left.</summary>
        public void Finish()
        {
            for (var round = 0; round < 200 && (_leader.StartOffset.Value < _logEnd || _storing is not null); round++)
            {
                _nowMs += 1_001;
                Expire();
                foreach (var range in _leader.Acquire("z", Batches(), new(int.MaxValue), _nowMs))
                    Deliver("z", range);
                foreach (var (member, offset) in _held.ToList())
                    Say(member, offset, ShareAcknowledgeType.Accept);
                Store();
                Store();
            }
            Assert.Equal(_logEnd, _leader.StartOffset.Value);
            for (var offset = 0L; offset < _logEnd; offset++)
                Assert.True(_answered.Contains(offset) || _given.Contains(offset) || _deliveries.GetValueOrDefault(offset) >= _settings.DeliveryCountLimit, $"{offset} was lost");
        }

        private ShareStateShard NewShard() => new(_options, _topics, NullLogger.Instance);

        private ReadBatch[] Batches() => _logEnd == 0 ? [] : [new(Offset.Zero, new(_logEnd - 1), IsDelivered: true)];

        private void Acquire()
        {
            var member = MemberNames[_random.Next(3)];
            foreach (var range in _leader.Acquire(member, Batches(), new(1 + _random.Next(8), IsStrict: true), _nowMs))
                Deliver(member, range);
        }

        private void Deliver(string member, AcquiredRange range)
        {
            for (var offset = range.First.Value; offset <= range.Last.Value; offset++)
            {
                Assert.False(_answered.Contains(offset), $"{offset} was acknowledged and answered, and is delivered again");
                Assert.True(_held.TrueForAll(held => held.Offset != offset), $"{offset} is delivered to two members at once");
                var delivered = _deliveries[offset] = _deliveries.GetValueOrDefault(offset) + 1;
                // What was only acquired when a leader crashed may not be counted; what is stored is.
                Assert.InRange(range.DeliveryCount, _storedCounts.GetValueOrDefault(offset) + 1, Math.Min(delivered, _settings.DeliveryCountLimit));
                _held.Add((member, offset));
            }
        }

        private void Acknowledge()
        {
            if (_held.Count == 0)
                return;
            var (member, offset) = _held[_random.Next(_held.Count)];
            Say(member, offset, (ShareAcknowledgeType)(1 + _random.Next(4)));
        }

        private void Say(string member, long offset, ShareAcknowledgeType type)
        {
            Assert.Equal(ErrorCode.None, _leader.Acknowledge(member, [new(offset, offset, [type])], _nowMs));
            if (type == ShareAcknowledgeType.Renew)
                return;
            _held.RemoveAll(held => held.Offset == offset);
            _said.Add((offset, type));
            if (Bug == Bug.AnswersTooEarly)
                Answer(offset, type);
        }

        // A record that its handler dealt with, or would not have again, need not be delivered once more, answered or not.
        private void Answer(long offset, ShareAcknowledgeType type)
        {
            if (type != ShareAcknowledgeType.Release)
                _answered.Add(offset);
        }

        private void Store()
        {
            if (_storing is null && _leader.TakeChange() is { } change)
            {
                _storing = (new(_stateEpoch, new(_leaderEpoch), ++_number, change), _said);
                _said = [];
                if (_random.Next(3) == 0)
                    return;
            }
            if (_storing is not { } storing)
                return;
            if (_random.Next(10) == 0)
                _late.Add(storing.Write);
            if (Write(storing.Write) != ErrorCode.None)
                throw new InvalidOperationException("The present leader was refused");
            _leader.Stored();
            foreach (var range in storing.Write.Change.Ranges)
            {
                for (var offset = range.First; offset <= range.Last; offset++)
                    _storedCounts[offset] = range.DeliveryCount;
            }
            Settle(storing.Said);
        }

        private void Settle(List<(long Offset, ShareAcknowledgeType Type)> said)
        {
            foreach (var (offset, type) in said)
            {
                Answer(offset, type);
                if (type == ShareAcknowledgeType.Reject)
                    _given.Add(offset);
            }
            _storing = null;
        }

        /// <summary>The leader does not hear what became of a write, which may arrive yet.</summary>
        private void LoseWrite()
        {
            if (_storing is not { } storing)
                return;
            if (_random.Next(2) == 0)
                Write(storing.Write);
            else
                _late.Add(storing.Write);
            _leader.NotStored();
            // Whoever said it keeps its lock, and was told that it may not have been heard.
            foreach (var (offset, type) in storing.Said.Where(said => said.Type != ShareAcknowledgeType.Release))
                _given.Add(offset);
            _storing = null;
        }

        private void DeliverLate()
        {
            if (_late.Count == 0)
                return;
            var index = _random.Next(_late.Count);
            Write(_late[index]);
            _late.RemoveAt(index);
        }

        private ErrorCode Write(ShareStateWrite write)
        {
            if (Bug == Bug.TakesLateWrites && write.LeaderEpoch.Value == _leaderEpoch)
                write = write with { Number = 0 };
            if (Bug == Bug.DoesNotFence)
                write = write with { LeaderEpoch = new(Math.Max(write.LeaderEpoch.Value, _leaderEpoch)), Number = 0 };
            return Apply(_shard.Write(Key, write, _nowMs)).Error;
        }

        private void Expire()
        {
            _leader.Expire(_nowMs);
            ForgetHeldThatAreNot();
        }

        private void ForgetHeldThatAreNot() =>
            _held.RemoveAll(held => _leader.Acknowledge(held.Member, [new(held.Offset, held.Offset, [ShareAcknowledgeType.Renew])], _nowMs) != ErrorCode.None);

        /// <summary>Another leader reads what is stored; a write of the former one may be under way.</summary>
        private void Lead()
        {
            if (_storing is { } storing)
            {
                _late.Add(storing.Write);
                foreach (var (offset, _) in storing.Said.Where(said => said.Type != ShareAcknowledgeType.Release))
                    _given.Add(offset);
            }
            (_storing, _said) = (null, []);
            _held.Clear();
            _leaderEpoch++;
            var stored = Apply(_shard.Read(Key, _leaderEpoch, _nowMs));
            Assert.Equal(ErrorCode.None, stored.Error);
            _stateEpoch = stored.StateEpoch;
            _leader = new(_settings);
            _leader.Load(stored.StartOffset, stored.Ranges!);
        }

        /// <summary>Another coordinator reads the log.</summary>
        private void FailOver()
        {
            _shard = NewShard();
            foreach (var record in _log)
                _shard.Load(Offset.Zero, record);
        }

        /// <summary>The last record of each key stays.</summary>
        private void Compact()
        {
            var seen = new HashSet<string>();
            var kept = new List<CoordinatorRecord>();
            foreach (var record in _log.AsEnumerable().Reverse())
            {
                if (seen.Add(NameOf(record)) && record.Value is not null)
                    kept.Add(record);
            }
            kept.Reverse();
            (_log.Capacity, var former) = (Math.Max(_log.Capacity, kept.Count), _log.Count);
            _log.Clear();
            _log.AddRange(kept);
            Assert.True(_log.Count <= former);
            FailOver();
        }

        private string NameOf(in CoordinatorRecord record)
        {
            var key = record.Key.Span;
            // The place is the last field of an update's key.
            return Convert.ToHexString(Bug == Bug.OnePlaceForAllUpdates && key[1] == 1 ? key[..^4] : key);
        }

        private T Apply<T>(CoordinatorResult<T> result) where T : class
        {
            foreach (var record in result.Records)
            {
                _shard.Replay(record);
                _log.Add(record.Encode());
            }
            _shard.Accept();
            return result.Reply!;
        }
    }
}
