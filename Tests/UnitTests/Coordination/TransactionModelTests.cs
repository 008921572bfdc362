using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Producers;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;
using OrleansLog.UnitTests.Storage;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>
/// Random lives of a transactional id: its coordinator is deposed again and again without knowing, goes on answering and sending
/// markers that come late; leaders ask the wrong coordinator; answers are lost; the producer starts anew. What was committed
/// counts whole, what was not counts not at all, and nothing stays open. The coordinators are those of production, the partitions
/// production's logs. Each seed is a run of its own.
/// </summary>
public sealed class TransactionModelTests
{
    public enum Bug { None, TrustsDeposedCoordinators, ForgetsWhatHadBegun }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("ORLEANSLOG_MODEL_SEEDS") ?? "60", CultureInfo.InvariantCulture))];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Transactions_are_whole_and_end_whoever_coordinates_them(int seed)
    {
        if (await new Run(seed, Bug.None).PlayAsync() is { } wrong) Assert.Fail(wrong);
    }

    [Theory]
    [InlineData(Bug.TrustsDeposedCoordinators)]
    [InlineData(Bug.ForgetsWhatHadBegun)]
    public async Task A_planted_bug_is_found(Bug bug)
    {
        var seed = 1;
        while (seed < 2_000 && await new Run(seed, bug).PlayAsync() is null) seed++;
        Assert.InRange(seed, 1, 1_999);
    }

    private sealed class Run(int seed, Bug bug) : ITopicDirectory, IProducerIdBlocks
    {
        private const string Id = "billing";
        private const int Partitions = 3, Transactions = 14;

        private readonly Random _random = new(seed);
        private readonly ManualClock _clock = new();
        private readonly MemoryPartition _state = new();
        private readonly List<LogHarness> _logs = [];
        private readonly List<Marker> _markers = [];
        private readonly List<TransactionCoordinator> _coordinators = [];
        private readonly List<Written> _written = [];
        private int _epoch = -1;
        private long _nextBlock;
        private (long Id, short Epoch) _producer;
        private readonly int[] _sequences = new int[Partitions];

        private sealed record Marker(TransactionEnd End, TopicPartition Partition, TaskCompletionSource<ErrorCode> Answer);

        // Whether the transaction counts is known when it has ended.
        private sealed record Written(int Partition, Offset Offset, Ended Transaction);

        private sealed class Ended
        {
            public bool? IsCommit { get; set; }
        }

        /// <summary>What went wrong; null for nothing.</summary>
        public async Task<string?> PlayAsync()
        {
            for (var i = 0; i < Partitions; i++)
                _logs.Add(await new LogHarness { Options = new() { FlushMessages = long.MaxValue } }.OpenAsync());
            await DeposeAsync();
            await InitAsync();
            for (var i = 0; i < Transactions; i++)
                if (await TransactAsync() is { } wrong) return wrong;
            await InitAsync();
            await WorldAsync(() => _markers.Count == 0 && _logs.All(log => log.Log.LastStableOffset(log.Log.LogEndOffset) == log.Log.LogEndOffset), steps: bug == Bug.None ? 1_000_000 : 3_000);
            var problem = Check();
            foreach (var coordinator in _coordinators) await coordinator.CloseAsync();
            return problem;
        }

        private async Task<string?> TransactAsync()
        {
            var transaction = new Ended();
            var isWhole = true;
            for (var writes = 1 + _random.Next(4); writes > 0 && isWhole; writes--) isWhole = await WriteAsync(_random.Next(Partitions), transaction);
            if (_random.Next(12) == 0)
            {
                transaction.IsCommit = false;
                await InitAsync();
                return null;
            }
            transaction.IsCommit = isWhole && _random.Next(4) > 0;
            var error = await EndAsync(transaction.IsCommit.Value);
            return error == ErrorCode.None ? null : $"the end of a transaction of epoch {_producer.Epoch} was refused with {error} ({transaction.IsCommit}, whole {isWhole}, coordinators {_coordinators.Count})";
        }

        private async Task<bool> WriteAsync(int index, Ended transaction)
        {
            var log = _logs[index].Log;
            for (var attempt = 0; attempt < 30; attempt++)
            {
                TransactionCheck check = default;
                if (!log.IsInTransaction(_producer.Id, _producer.Epoch))
                {
                    var asker = new { At = log.LogEndOffset, Coordinator = Guess() };
                    var answer = (await DoneAsync(AddAsync(asker.Coordinator, index))).ResultsByTransaction[0];
                    var error = answer.TopicResults[0].ResultsByPartition[0].PartitionErrorCode;
                    if (error is ErrorCode.ProducerFenced or ErrorCode.InvalidProducerIdMapping && asker.Coordinator == _coordinators[^1]) return false;
                    if (error != ErrorCode.None) continue;
                    if (_random.Next(4) == 0) await StepAsync();
                    check = new()
                    {
                        VerifiedAt = asker.At,
                        VerifiedBy = bug == Bug.TrustsDeposedCoordinators ? null : answer.CoordinatorEpoch,
                    };
                }
                var appended = log.Append(Batch(_sequences[index]), LeaderEpoch.Zero, check);
                if (appended.Error != ErrorCode.None) continue;
                _sequences[index]++;
                _written.Add(new(index, appended.BaseOffset, transaction));
                return true;
            }
            return false;
        }

        private byte[] Batch(int sequence)
        {
            using var builder = new RecordBatchBuilder(1 << 16)
            {
                ProducerId = _producer.Id,
                ProducerEpoch = _producer.Epoch,
                BaseSequence = sequence,
                IsTransactional = true,
            };
            builder.TryAppend(1_000, default, keyIsNull: true, new byte[8], valueIsNull: false, []);
            return builder.Build().ToArray();
        }

        private Task<AddPartitionsToTxnResponse> AddAsync(TransactionCoordinator coordinator, int index) => coordinator.AddPartitionsAsync(Context, new()
        {
            Transactions = [new() { TransactionalId = Id, ProducerId = _producer.Id, ProducerEpoch = _producer.Epoch, Topics = [new() { Name = "orders", Partitions = [index] }] }],
        });

        private async Task<ErrorCode> EndAsync(bool isCommit)
        {
            while (true)
            {
                var coordinator = Guess();
                var answer = await DoneAsync(coordinator.EndAsync(
                    Context, new() { TransactionalId = Id, ProducerId = _producer.Id, ProducerEpoch = _producer.Epoch, Committed = isCommit }));
                if (answer.ErrorCode == ErrorCode.None && _random.Next(6) > 0) return Become(answer.ProducerId, answer.ProducerEpoch);
                // What a deposed one refuses may be fine by now.
                if (coordinator == _coordinators[^1] && answer.ErrorCode is not (ErrorCode.None or ErrorCode.ConcurrentTransactions or ErrorCode.NotCoordinator
                    or ErrorCode.CoordinatorLoadInProgress or ErrorCode.CoordinatorNotAvailable)) return answer.ErrorCode;
                await StepAsync();
            }
        }

        private async Task InitAsync()
        {
            while (true)
            {
                var answer = await DoneAsync(_coordinators[^1].InitProducerIdAsync(Context, new() { TransactionalId = Id, TransactionTimeoutMs = 900_000 }));
                if (answer.ErrorCode == ErrorCode.None)
                {
                    Become(answer.ProducerId, answer.ProducerEpoch);
                    return;
                }
                await StepAsync();
            }
        }

        private ErrorCode Become(long id, short epoch)
        {
            _producer = (id, epoch);
            Array.Clear(_sequences);
            return ErrorCode.None;
        }

        // What the world does meanwhile.
        private async Task<T> DoneAsync<T>(Task<T> answer)
        {
            await WorldAsync(() => answer.IsCompleted, int.MaxValue);
            return await answer;
        }

        private async Task WorldAsync(Func<bool> isDone, int steps)
        {
            for (; steps > 0 && !isDone(); steps--)
            {
                await StepAsync();
                await Task.Yield();
            }
        }

        private async Task StepAsync()
        {
            Marker[] markers;
            lock (_markers) markers = [.. _markers];
            switch (_random.Next(40))
            {
                case 0 when _coordinators.Count < 40: await DeposeAsync(); break;
                case 1 or 2: _clock.AdvanceMs(_random.Next(3_000)); break;
                case < 12: _clock.AdvanceMs(60); break;
                case < 34 when markers.Length > 0: Deliver(markers[_random.Next(markers.Length)]); break;
            }
        }

        private async Task DeposeAsync()
        {
            _epoch++;
            var coordinator = new TransactionCoordinator(
                new() { PartitionCount = 1, OffsetsPartitionCount = 1 },
                new(_clock, this, new ProducerIds(this, default), new Sender(this), NullLogger.Instance));
            _coordinators.Add(coordinator);
            await coordinator.ElectAsync(0, new LeaderEpoch(_epoch), _state, new Leadership(this, _epoch));
        }

        // Mostly the one that is; sometimes one that was.
        private TransactionCoordinator Guess() => _coordinators[_random.Next(3) > 0 ? ^1 : ^Math.Min(_coordinators.Count, 2)];

        private void Deliver(Marker marker)
        {
            lock (_markers) _markers.Remove(marker);
            var end = marker.End;
            var batch = new EndTransactionMarker(end.ProducerId, end.ProducerEpoch, end.IsCommit, end.CoordinatorEpoch).Encode(1_000);
            var appended = _logs[marker.Partition.Partition].Log.Append(batch, LeaderEpoch.Zero, new() { MarkerHasNewEpoch = end.HasNewEpoch });
            marker.Answer.TrySetResult(appended.Error);
        }

        private string? Check()
        {
            for (var i = 0; i < Partitions; i++)
            {
                var log = _logs[i].Log;
                if (log.LastStableOffset(log.LogEndOffset) != log.LogEndOffset) return $"partition {i} has a transaction that nobody ends";
                var read = log.Read(Offset.Zero, int.MaxValue, log.LogEndOffset);
                var aborted = log.AbortedTransactions(Offset.Zero, read.Slice);
                foreach (var record in _written.Where(record => record.Partition == i))
                    if (aborted.Any(each => each.First <= record.Offset && record.Offset < each.Marker) == record.Transaction.IsCommit)
                        return $"offset {record.Offset} of partition {i} is of a transaction that was {(record.Transaction.IsCommit == true ? "committed" : "aborted")}, and is taken for the opposite";
            }
            return null;
        }

        private static CallContext Context => new("app", "/127.0.0.1", 5);

        object ITopicDirectory.Edition => this;

        IEnumerable<string> ITopicDirectory.Names => ["orders"];

        TopicShape? ITopicDirectory.Find(string topic) => null;

        string? ITopicDirectory.NameOf(Guid topicId) => null;

        bool ITopicDirectory.Contains(string topic, int partition) => true;

        Task<ProducerIdBlock> IProducerIdBlocks.TakeAsync(CancellationToken cancellationToken) => Task.FromResult(new ProducerIdBlock(_nextBlock += 1000, 1000));

        // As a broker's: again until every partition has its marker.
        private sealed class Sender(Run run) : ITransactionMarkers
        {
            public async Task<MarkersWritten> WriteAsync(TransactionEnd end, CancellationToken cancellationToken)
            {
                var sent = end.Partitions.Select(partition => new Marker(end, partition, new())).ToList();
                lock (run._markers) run._markers.AddRange(sent);
                var begun = new List<TopicPartition>();
                foreach (var marker in sent)
                {
                    var error = await marker.Answer.Task;
                    if (error is ErrorCode.TransactionCoordinatorFenced or ErrorCode.InvalidProducerEpoch) return new(IsDone: false, []);
                    if (error == ErrorCode.ConcurrentTransactions) begun.Add(marker.Partition);
                }
                return new(IsDone: true, run.Bug == Bug.ForgetsWhatHadBegun ? [] : begun);
            }
        }

        private Bug Bug => bug;

        // A coordinator that was deposed does not learn of it; but nobody takes what it writes.
        private sealed class Leadership(Run run, int epoch) : IPartitionWriter
        {
            public int MaxBatchBytes => run._state.MaxBatchBytes;

            public ValueTask<PartitionAppend> AppendAsync(IReadOnlyList<CoordinatorRecord> records, TransactionWrite? transaction = null) =>
                epoch == run._epoch ? run._state.AppendAsync(records, transaction) : new(PartitionAppend.Refused(ErrorCode.NotLeaderOrFollower));
        }
    }
}
