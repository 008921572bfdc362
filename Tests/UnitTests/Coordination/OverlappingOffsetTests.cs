using OrleansLog.Coordination.Groups;
using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.UnitTests.Coordination;

/// <summary>
/// Commits of one offset that overlap, in transactions and without: the one that was written last counts, as it does when
/// compaction has left nothing but that.
/// </summary>
public sealed class OverlappingOffsetTests
{
    private static readonly TopicPartition Orders = new("orders", 0);

    private readonly GroupStore _store = new();

    private static OffsetCommitRecord Plain(long? offset) => new(
        "shop", Orders, offset is { } given ? new CommittedOffset(new(given), LeaderEpoch.None, "", 0, null) : null);

    private static PendingOffsetRecord Pending(long producer, long offset) => new(producer, Plain(offset));

    private static TransactionEndRecord End(long producer, bool isCommit = true) => new(producer, isCommit);

    private long? Replay(params StateRecord[] records)
    {
        foreach (var record in records) _store.Replay(record);
        return _store.Find("shop")?.Offsets.TryGetValue(Orders, out var committed) == true ? committed.Offset.Value : null;
    }

    [Fact]
    public void A_plain_commit_after_that_of_a_transaction_stays_when_the_transaction_ends() =>
        Assert.Equal(7, Replay(Pending(1, 5), Plain(7), End(1)));

    [Fact]
    public void A_plain_commit_before_that_of_a_transaction_does_not() =>
        Assert.Equal(5, Replay(Plain(7), Pending(1, 5), End(1)));

    [Fact]
    public void An_offset_that_was_deleted_meanwhile_stays_deleted() => Assert.Null(Replay(Plain(3), Pending(1, 5), Plain(null), End(1)));

    [Fact]
    public void Of_two_transactions_the_one_that_wrote_last_counts_whichever_ends_first() =>
        Assert.Equal(6, Replay(Pending(1, 5), Pending(2, 6), End(2), End(1)));

    [Fact]
    public void A_transaction_that_is_aborted_is_in_nobodys_way() =>
        Assert.Equal(5, Replay(Pending(1, 5), Pending(2, 6), End(2, isCommit: false), End(1)));

    [Fact]
    public void A_commit_that_is_taken_back_is_in_nobodys_way()
    {
        Replay(Pending(1, 5));
        _store.Accept();
        Replay(Plain(7), End(1));
        _store.RollBack(0, _ => { }, _ => { });
        Assert.True(_store.Pending.Has("shop", Orders));
        Assert.Equal(5, Replay(End(1)));
        Assert.False(_store.Pending.Has("shop", Orders));
    }
}
