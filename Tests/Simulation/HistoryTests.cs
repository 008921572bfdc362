using OrleansLog.Protocol;
using OrleansLog.Simulation.Checking;

namespace OrleansLog.Simulation;

/// <summary>Feeds bad histories to the history checker: it names each for what it is, and nothing else.</summary>
public sealed class HistoryTests
{
    private static readonly LeaderEpoch Second = new(5);

    private readonly History _history = new();

    [Fact]
    public void A_good_history_has_no_anomalies()
    {
        for (var i = 0; i < 5; i++) Good(i);
        _history.Deleted(new(3));
        _history.Polled(2, new(3), 103);
        _history.Polled(2, new(4), 104);
        Assert.Empty(_history.FindAnomalies());
    }

    [Fact]
    public void A_lost_write_is_named()
    {
        Good(0);
        Commit(1);
        _history.Acknowledged(1, new(1), 101);
        Commit(2);
        _history.Polled(2, new(2), 102);
        Named(AnomalyKind.LostWrite);
    }

    [Fact]
    public void A_precommitted_read_is_named()
    {
        Good(0);
        _history.Polled(1, new(1), 101);
        Commit(1);
        Named(AnomalyKind.PrecommittedRead);
    }

    [Fact]
    public void Inconsistent_offsets_are_named()
    {
        Good(0);
        _history.Committed(new(0), 200);
        Named(AnomalyKind.InconsistentOffsets);
    }

    [Fact]
    public void A_duplicate_is_named()
    {
        Good(0);
        _history.Committed(new(1), 100);
        Named(AnomalyKind.Duplicate);
    }

    [Fact]
    public void A_non_monotonic_send_is_named()
    {
        Commit(0);
        Commit(1);
        _history.Acknowledged(1, new(1), 101);
        _history.Acknowledged(1, new(0), 100);
        _history.Polled(1, new(0), 100);
        _history.Polled(1, new(1), 101);
        Named(AnomalyKind.NonMonotonicSend);
    }

    [Fact]
    public void A_non_monotonic_poll_is_named()
    {
        Good(0);
        Good(1);
        _history.Polled(1, new(0), 100);
        Named(AnomalyKind.NonMonotonicPoll);
    }

    [Fact]
    public void A_poll_skip_is_named()
    {
        for (var i = 0; i < 3; i++) Good(i);
        _history.Polled(2, new(0), 100);
        _history.Polled(2, new(2), 102);
        Named(AnomalyKind.PollSkip);
    }

    [Fact]
    public void An_unseen_write_is_named()
    {
        Good(0);
        Commit(1);
        _history.Acknowledged(1, new(1), 101);
        Named(AnomalyKind.Unseen);
    }

    [Fact]
    public void What_an_unclean_election_took_away_need_not_be_seen_and_its_place_is_free()
    {
        Good(0);
        Commit(1);
        _history.Acknowledged(1, new(1), 101);
        _history.Forked(Second, default, new(1));
        _history.Committed(new(1), 201, Second);
        _history.Polled(1, new(1), 201, Second);
        Assert.Empty(_history.FindAnomalies());
    }

    [Fact]
    public void What_an_unclean_election_left_must_still_be_seen()
    {
        Good(0);
        Commit(1);
        _history.Acknowledged(1, new(1), 101);
        _history.Forked(Second, default, new(2));
        _history.Committed(new(2), 202, Second);
        _history.Polled(2, new(0), 100, Second);
        _history.Polled(2, new(2), 202, Second);
        Assert.Equal([AnomalyKind.PollSkip, AnomalyKind.LostWrite], _history.FindAnomalies().Select(anomaly => anomaly.Kind));
    }

    [Fact]
    public void A_consumer_that_is_set_back_further_than_the_logs_part_is_named()
    {
        Good(0);
        Good(1);
        _history.Forked(Second, default, new(1));
        _history.SetBack(1, Offset.Zero, Second);
        _history.Polled(1, new(0), 100, Second);
        Named(AnomalyKind.NonMonotonicPoll);
    }

    [Fact]
    public void What_was_deleted_need_not_be_seen()
    {
        Good(0);
        Commit(1);
        _history.Acknowledged(1, new(1), 101);
        _history.Deleted(new(2));
        Commit(2);
        _history.Polled(1, new(2), 102);
        Assert.Empty(_history.FindAnomalies());
    }

    private void Commit(long offset) => _history.Committed(new(offset), 100 + offset);

    private void Good(long offset)
    {
        Commit(offset);
        _history.Acknowledged(1, new(offset), 100 + offset);
        _history.Polled(1, new(offset), 100 + offset);
    }

    private void Named(AnomalyKind kind) => Assert.Equal([kind], _history.FindAnomalies().Select(anomaly => anomaly.Kind));
}
