using Microsoft.Extensions.Logging.Abstractions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Producers;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>What a coordinator of transactions decides, and what its successor makes of it. All on the test's thread.</summary>
public sealed class TransactionCoordinatorTests : ITopicDirectory, ITransactionMarkers, IProducerIdBlocks
{
    private const ErrorCode Ok = ErrorCode.None;
    private const string Id = "billing";
    private static readonly TopicPartition Orders = new("orders", 0);

    private readonly ManualClock _clock = new();
    private readonly MemoryPartition _partition = new();
    private readonly List<(TransactionEnd End, TaskCompletionSource<MarkersWritten> Written)> _markers = [];
    private TransactionCoordinator _coordinator;
    private long _nextBlock;
    private int _epoch;

    public TransactionCoordinatorTests() => _coordinator = New();

    private static CallContext Context(short version) => new("app", "/127.0.0.1", version);

    private TransactionCoordinator New() => new(
        new() { PartitionCount = 1, OffsetsPartitionCount = 1, IdExpirationMs = 100_000, IdExpirationCheckIntervalMs = 50_000 },
        new(_clock, this, new ProducerIds(this, default), this, NullLogger.Instance));

    private Task ElectAsync() => _coordinator.ElectAsync(0, new LeaderEpoch(_epoch), _partition, _partition);

    private async Task FailOverAsync()
    {
        await _coordinator.CloseAsync();
        _coordinator = New();
        _epoch++;
        await ElectAsync();
    }

    private Task<InitProducerIdResponse> InitAsync(long id = -1, short epoch = -1) => _coordinator.InitProducerIdAsync(
        Context(5), new() { TransactionalId = Id, TransactionTimeoutMs = 10_000, ProducerId = id, ProducerEpoch = epoch });

    private async Task<ErrorCode> AddAsync(long id, short epoch, bool verifyOnly = false, string topic = "orders") => (await AskToAddAsync(id, epoch, verifyOnly, topic))
        .ResultsByTransaction[0].TopicResults[0].ResultsByPartition[0].PartitionErrorCode;

    private Task<AddPartitionsToTxnResponse> AskToAddAsync(long id, short epoch, bool verifyOnly = false, string topic = "orders") => _coordinator.AddPartitionsAsync(
        Context(5),
        new()
        {
            Transactions =
            [
                new() { TransactionalId = Id, ProducerId = id, ProducerEpoch = epoch, VerifyOnly = verifyOnly, Topics = [new() { Name = topic, Partitions = [0] }] },
            ],
        });

    private Task<EndTxnResponse> EndAsync(long id, short epoch, bool isCommit, short version = 5) =>
        _coordinator.EndAsync(Context(version), new() { TransactionalId = Id, ProducerId = id, ProducerEpoch = epoch, Committed = isCommit });

    private async Task<string> StateAsync() =>
        (await _coordinator.DescribeAsync(Context(0), new() { TransactionalIds = [Id] })).TransactionStates[0] is { ErrorCode: Ok } state ? state.State : "none";

    private void MarkersWritten(params TopicPartition[] begun)
    {
        foreach (var (_, written) in _markers) written.TrySetResult(new(IsDone: true, begun));
    }

    [Fact]
    public async Task The_outcome_is_answered_when_it_is_decided_and_complete_when_all_know()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        Assert.Equal(Ok, await AddAsync(id, 0));
        Assert.Equal((Ok, id, (short)1), await After(EndAsync(id, 0, isCommit: true)));
        Assert.Equal("PrepareCommit", await StateAsync());
        var end = Assert.Single(_markers).End;
        Assert.Equal((id, (short)1, true, 0, true), (end.ProducerId, end.ProducerEpoch, end.IsCommit, end.CoordinatorEpoch, end.HasNewEpoch));
        Assert.Equal([Orders], end.Partitions);
        MarkersWritten();
        Assert.Equal("CompleteCommit", await StateAsync());
    }

    private static async Task<(ErrorCode, long, short)> After(Task<EndTxnResponse> ending) =>
        await ending is var answer ? (answer.ErrorCode, answer.ProducerId, answer.ProducerEpoch) : default;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_successor_finishes_what_was_decided(bool isCommit)
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        await EndAsync(id, 0, isCommit);
        await FailOverAsync();

        Assert.Equal(2, _markers.Count);
        Assert.Equal((isCommit, 1, (short)1), (_markers[1].End.IsCommit, _markers[1].End.CoordinatorEpoch, _markers[1].End.ProducerEpoch));
        Assert.Equal((Ok, id, (short)1), await After(EndAsync(id, 0, isCommit)));
        Assert.Equal(ErrorCode.InvalidTxnState, (await EndAsync(id, 0, !isCommit)).ErrorCode);
        MarkersWritten();
        Assert.Equal(isCommit ? "CompleteCommit" : "CompleteAbort", await StateAsync());
        Assert.Equal(Ok, await AddAsync(id, 1));
    }

    /// <summary>It judges by what is past, and its word would stop the producer for good.</summary>
    [Fact]
    public async Task One_that_was_deposed_without_knowing_refuses_nobody_for_good()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        var (successor, deposed) = (New(), _coordinator);
        await successor.ElectAsync(0, new LeaderEpoch(1), _partition, _partition);
        _coordinator = successor;
        Assert.Equal((Ok, id, (short)1), await After(EndAsync(id, 0, isCommit: true)));

        _coordinator = deposed;
        _partition.AppendError = ErrorCode.NotLeaderOrFollower;
        Assert.Equal(ErrorCode.NotCoordinator, (await EndAsync(id, 1, isCommit: true)).ErrorCode);
        Assert.Equal(ErrorCode.NotCoordinator, await AddAsync(id, 1));
        Assert.Equal(ErrorCode.NotCoordinator, await AddAsync(id, 1, verifyOnly: true));
        Assert.Equal(ErrorCode.NotCoordinator, (await InitAsync(id, 1)).ErrorCode);
        Assert.Equal(ErrorCode.NotCoordinator, (await EndAsync(id + 1, 0, isCommit: true)).ErrorCode);
        _partition.AppendError = Ok;
        _coordinator = successor;
        Assert.Equal(ErrorCode.ProducerFenced, (await EndAsync(id, 7, isCommit: true)).ErrorCode);
    }

    [Fact]
    public async Task A_refusal_for_good_waits_until_it_is_certain_that_nobody_else_coordinates()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        _partition.HoldCommits = true;
        var ending = EndAsync(id, 7, isCommit: true);
        Assert.False(ending.IsCompleted);
        _partition.CommitNext();
        Assert.Equal(ErrorCode.ProducerFenced, (await ending).ErrorCode);
        Assert.Equal("Ongoing", await StateAsync());
    }

    [Fact]
    public async Task A_successor_aborts_what_is_left_open_in_its_time()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        _clock.AdvanceMs(6_000);
        await FailOverAsync();
        Assert.Equal("Ongoing", await StateAsync());
        _clock.AdvanceMs(3_999);
        Assert.Equal("Ongoing", await StateAsync());
        _clock.AdvanceMs(2);
        Assert.Equal("PrepareAbort", await StateAsync());
        Assert.Equal((short)1, _markers[^1].End.ProducerEpoch);
    }

    [Fact]
    public async Task An_outcome_that_could_not_be_written_was_never_decided()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        _partition.AppendError = ErrorCode.NotEnoughReplicas;
        Assert.Equal(ErrorCode.CoordinatorNotAvailable, (await EndAsync(id, 0, isCommit: true)).ErrorCode);
        Assert.Empty(_markers);
        _partition.AppendError = Ok;
        Assert.Equal("Ongoing", await StateAsync());
        Assert.Equal(Ok, (await EndAsync(id, 0, isCommit: false)).ErrorCode);
        Assert.False(Assert.Single(_markers).End.IsCommit);
    }

    [Fact]
    public async Task Nothing_is_told_to_partitions_before_the_outcome_is_committed()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        _partition.HoldCommits = true;
        var ending = EndAsync(id, 0, isCommit: true);
        Assert.Empty(_markers);
        Assert.False(ending.IsCompleted);
        _partition.CommitNext();
        Assert.Single(_markers);
        Assert.Equal(Ok, (await ending).ErrorCode);
    }

    [Fact]
    public async Task An_end_that_is_late_does_not_strike_the_next_transaction()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        await EndAsync(id, 0, isCommit: true);
        MarkersWritten();
        await AddAsync(id, 1);
        Assert.Equal(ErrorCode.ProducerFenced, (await EndAsync(id, 0, isCommit: false)).ErrorCode);
        Assert.Equal("Ongoing", await StateAsync());
    }

    [Fact]
    public async Task The_next_transaction_begins_as_soon_as_the_one_before_has_ended_and_in_the_same_partitions_nothing_is_written_for_it()
    {
        var id = await CommitOneAsync();
        var next = AskToAddAsync(id, 1);
        Assert.False(next.IsCompleted);
        var appends = _partition.Batches.Count;
        _partition.HoldCommits = true;
        MarkersWritten();
        Assert.Equal(Ok, (await next).ResultsByTransaction[0].TopicResults[0].ResultsByPartition[0].PartitionErrorCode);
        Assert.Equal("Ongoing", await StateAsync());
        Assert.Equal(appends, _partition.Batches.Count);
        _partition.HoldCommits = false;
        await EndAsync(id, 1, isCommit: true);
        Assert.Equal(appends + 1, _partition.Batches.Count);
        Assert.Equal([Orders], _markers[^1].End.Partitions);
    }

    [Fact]
    public async Task In_another_partition_the_next_transaction_begins_when_a_record_of_that_is_committed()
    {
        var id = await CommitOneAsync();
        MarkersWritten();
        Assert.Equal(Ok, await AddAsync(id, 1));
        _partition.HoldCommits = true;
        var other = AddAsync(id, 1, topic: "bills");
        Assert.False(other.IsCompleted);
        _partition.CommitNext();
        Assert.Equal(Ok, await other);
        _partition.HoldCommits = false;
        await FailOverAsync();
        Assert.Equal("Ongoing", await StateAsync());
        await EndAsync(id, 1, isCommit: true);
        Assert.Equal([new("bills", 0), Orders], _markers[^1].End.Partitions.OrderBy(each => each.Topic));
    }

    [Fact]
    public async Task A_successor_learns_from_the_markers_where_the_next_transaction_has_begun()
    {
        var id = await CommitOneAsync();
        MarkersWritten();
        Assert.Equal(Ok, await AddAsync(id, 1));
        await FailOverAsync();
        Assert.Equal("PrepareCommit", await StateAsync());
        Assert.Equal(ErrorCode.ConcurrentTransactions, (await EndAsync(id, 1, isCommit: true)).ErrorCode);
        Assert.Equal(ErrorCode.ConcurrentTransactions, (await EndAsync(id, 1, isCommit: false)).ErrorCode);
        Assert.Equal(ErrorCode.ConcurrentTransactions, (await InitAsync()).ErrorCode);
        MarkersWritten(Orders);
        Assert.Equal("Ongoing", await StateAsync());
        Assert.Equal((Ok, id, (short)2), await After(EndAsync(id, 1, isCommit: true)));
        Assert.Equal((true, 1, (short)2), (_markers[^1].End.IsCommit, _markers[^1].End.CoordinatorEpoch, _markers[^1].End.ProducerEpoch));
        Assert.Equal([Orders], _markers[^1].End.Partitions);
    }

    [Fact]
    public async Task Where_the_next_transaction_had_begun_a_successor_aborts_it_in_its_time()
    {
        var id = await CommitOneAsync();
        MarkersWritten();
        await AddAsync(id, 1);
        await FailOverAsync();
        MarkersWritten(Orders);
        _clock.AdvanceMs(10_001);
        Assert.Equal("PrepareAbort", await StateAsync());
        Assert.Equal((false, (short)2), (_markers[^1].End.IsCommit, _markers[^1].End.ProducerEpoch));
    }

    [Fact]
    public async Task A_successor_that_finds_nothing_begun_has_a_producer_that_can_begin()
    {
        var id = await CommitOneAsync();
        MarkersWritten();
        await FailOverAsync();
        MarkersWritten();
        Assert.Equal("CompleteCommit", await StateAsync());
        Assert.Equal(ErrorCode.InvalidTxnState, (await EndAsync(id, 1, isCommit: true)).ErrorCode);
        Assert.Equal((Ok, id, (short)1), await After(EndAsync(id, 0, isCommit: true)));
        Assert.Equal(Ok, await AddAsync(id, 1));
    }

    [Fact]
    public async Task That_a_transaction_is_complete_is_written_if_none_follows()
    {
        var id = await CommitOneAsync();
        MarkersWritten();
        var appends = _partition.Batches.Count;
        _clock.AdvanceMs(4_999);
        Assert.Equal(appends, _partition.Batches.Count);
        _clock.AdvanceMs(2);
        Assert.Equal(appends + 1, _partition.Batches.Count);
        _clock.AdvanceMs(40_000);
        Assert.Equal(appends + 1, _partition.Batches.Count);
        _partition.HoldCommits = true;
        var next = AddAsync(id, 1);
        Assert.False(next.IsCompleted);
        _partition.CommitNext();
        Assert.Equal(Ok, await next);
    }

    [Fact]
    public async Task What_was_begun_without_a_record_is_found_again_when_the_coordinator_has_to_read_its_partition_again()
    {
        var id = await CommitOneAsync();
        var former = _markers[^1].Written;
        MarkersWritten();
        await AddAsync(id, 1);
        _partition.HoldCommits = true;
        var lost = EndAsync(id, 1, isCommit: true);
        _partition.Forget();
        _partition.CommitNext(ErrorCode.NotLeaderOrFollower);
        await lost;
        _partition.HoldCommits = false;
        Assert.Equal("PrepareCommit", await StateAsync());
        former.TrySetResult(new(IsDone: true, []));
        MarkersWritten(Orders);
        Assert.Equal("Ongoing", await StateAsync());
        Assert.Equal((Ok, id, (short)2), await After(EndAsync(id, 1, isCommit: true)));
    }

    private async Task<long> CommitOneAsync()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        await EndAsync(id, 0, isCommit: true);
        return id;
    }

    [Fact]
    public async Task Who_waits_for_the_end_of_a_transaction_is_told_when_the_coordinator_moves()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        await EndAsync(id, 0, isCommit: true);
        var next = AskToAddAsync(id, 1);
        await _coordinator.CloseAsync();
        Assert.Equal(ErrorCode.NotCoordinator, (await next).ResultsByTransaction[0].TopicResults[0].ResultsByPartition[0].PartitionErrorCode);
    }

    [Fact]
    public async Task A_producer_that_asks_again_gets_the_same_and_one_that_was_fenced_is_told_so()
    {
        await ElectAsync();
        var first = await InitAsync();
        var bumped = await InitAsync(first.ProducerId, first.ProducerEpoch);
        Assert.Equal((first.ProducerId, (short)1), (bumped.ProducerId, bumped.ProducerEpoch));
        var again = await InitAsync(first.ProducerId, first.ProducerEpoch);
        Assert.Equal((Ok, (short)1), (again.ErrorCode, again.ProducerEpoch));
        Assert.Equal((short)2, (await InitAsync()).ProducerEpoch);
        Assert.Equal(ErrorCode.ProducerFenced, (await InitAsync(first.ProducerId, first.ProducerEpoch)).ErrorCode);
        Assert.Equal(ErrorCode.ProducerFenced, (await InitAsync(77, 0)).ErrorCode);
    }

    [Fact]
    public async Task The_last_epoch_is_followed_by_another_producer_id()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        short epoch = 0;
        for (; epoch < short.MaxValue - 1; epoch++) Assert.Equal((short)(epoch + 1), (await InitAsync()).ProducerEpoch);
        Assert.Equal(Ok, await AddAsync(id, epoch));
        var (error, next, nextEpoch) = await After(EndAsync(id, epoch, isCommit: true));
        Assert.Equal((Ok, (short)0), (error, nextEpoch));
        Assert.NotEqual(id, next);
        Assert.Equal((id, short.MaxValue), (_markers[0].End.ProducerId, _markers[0].End.ProducerEpoch));
        Assert.Equal((Ok, next, (short)0), await After(EndAsync(id, epoch, isCommit: true)));
        MarkersWritten();
        Assert.Equal((Ok, next, (short)0), await After(EndAsync(id, epoch, isCommit: true)));
        Assert.Equal(Ok, await AddAsync(next, 0));
        await FailOverAsync();
        Assert.Equal(Ok, await AddAsync(next, 0, verifyOnly: true));
    }

    [Fact]
    public async Task An_id_that_is_not_used_is_forgotten_and_one_with_a_transaction_is_not()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        await AddAsync(id, 0);
        await EndAsync(id, 0, isCommit: true);
        _clock.AdvanceMs(300_000);
        Assert.Equal("PrepareCommit", await StateAsync());
        MarkersWritten();
        _clock.AdvanceMs(300_000);
        Assert.Equal("none", await StateAsync());
        await FailOverAsync();
        Assert.Equal("none", await StateAsync());
    }

    [Fact]
    public async Task Partitions_are_verified_one_by_one_and_unknown_ones_refused()
    {
        await ElectAsync();
        var id = (await InitAsync()).ProducerId;
        Assert.Equal(ErrorCode.TransactionAbortable, await AddAsync(id, 0, verifyOnly: true));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await AddAsync(id, 0, topic: "nowhere"));
        Assert.Equal(Ok, await AddAsync(id, 0));
        Assert.Equal(Ok, await AddAsync(id, 0, verifyOnly: true));
        Assert.Equal(ErrorCode.TransactionAbortable, await AddAsync(id, 0, verifyOnly: true, topic: "bills"));
        Assert.Equal(ErrorCode.InvalidProducerIdMapping, await AddAsync(id + 1, 0));
    }

    object ITopicDirectory.Edition => this;

    IEnumerable<string> ITopicDirectory.Names => ["orders", "bills"];

    TopicShape? ITopicDirectory.Find(string topic) => null;

    string? ITopicDirectory.NameOf(Guid topicId) => null;

    bool ITopicDirectory.Contains(string topic, int partition) => topic != "nowhere";

    async Task<MarkersWritten> ITransactionMarkers.WriteAsync(TransactionEnd end, CancellationToken cancellationToken)
    {
        var written = new TaskCompletionSource<MarkersWritten>();
        _markers.Add((end, written));
        return await written.Task.WaitAsync(cancellationToken);
    }

    Task<ProducerIdBlock> IProducerIdBlocks.TakeAsync(CancellationToken cancellationToken) => Task.FromResult(new ProducerIdBlock(_nextBlock += 1000, 1000));
}
