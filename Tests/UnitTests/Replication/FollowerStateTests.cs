using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Replication.Following;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;
using OrleansLog.UnitTests.Storage;

namespace OrleansLog.UnitTests.Replication;

/// <summary>What a follower decides where its log and the leader's start at different offsets, or differ.</summary>
public sealed class FollowerStateTests
{
    [Fact]
    public void A_log_that_ends_before_the_leaders_starts_is_started_anew_there()
    {
        var probe = Probe(from: 20, logStart: 20);
        Assert.Equal(new Offset(20), Follower().Decide(probe, new Outline(0, 10, epoch: 1)).RestartAt);
        Assert.Equal(new Offset(20), Follower().Decide(probe, new Outline(0, 0, epoch: -1)).RestartAt);
        Assert.Equal(new Offset(20), Follower().Decide(probe, new Outline(0, 20, epoch: 1)).RestartAt);
    }

    [Fact]
    public void A_new_log_that_starts_where_the_leaders_does_stays()
    {
        var decision = Follower().Decide(Probe(from: 20, logStart: 20), new Outline(20, 20, epoch: -1));
        Assert.Null(decision.RestartAt);
        Assert.Equal((AppendCode.Accepted, new Offset(20)), (decision.Code, decision.Matched));
    }

    [Fact]
    public void A_log_that_ends_before_the_leaders_starts_is_told_so_when_asked_further_on()
    {
        var decision = Follower().Decide(Probe(from: 40, logStart: 20, previousEpoch: 2), new Outline(0, 10, epoch: 1));
        Assert.Equal(AppendCode.Mismatch, decision.Code);
        Assert.Null(decision.RestartAt);
    }

    [Fact]
    public void A_log_that_holds_the_leaders_first_batch_is_kept()
    {
        var decision = Follower().Decide(Append(logStart: 20, batchAt: 20, epoch: 1), new Outline(5, 30, epoch: 1));
        Assert.Null(decision.RestartAt);
        Assert.Equal(new Offset(21), decision.Matched);
    }

    [Fact]
    public void A_log_with_other_records_at_the_leaders_start_is_dropped()
    {
        var decision = Follower().Decide(Append(logStart: 20, batchAt: 20, epoch: 2), new Outline(5, 30, epoch: 1));
        Assert.Equal(new Offset(20), decision.RestartAt);
        Assert.Equal(new Offset(21), decision.Matched);
    }

    [Fact]
    public void Committed_records_are_not_dropped_for_others()
    {
        var follower = new FollowerState(new(5), LeaderEpoch.None, new Offset(25));
        Assert.Throws<DivergedReplicaException>(() => follower.Decide(Append(logStart: 20, batchAt: 20, epoch: 2), new Outline(5, 30, epoch: 1)));
    }

    [Fact]
    public void A_batch_that_the_leaders_log_start_divides_is_taken_whole()
    {
        var empty = Follower().Decide(Append(logStart: 21, batchAt: 20, epoch: 2, records: 3), new Outline(21, 21, epoch: -1));
        Assert.Equal((new Offset(20), new Offset(23)), (empty.RestartAt, empty.Matched));
        var held = Follower().Decide(Append(logStart: 21, batchAt: 20, epoch: 2, records: 3), new Outline(21, 30, epoch: 2));
        Assert.Null(held.RestartAt);
        Assert.Equal(new Offset(23), held.Matched);
    }

    [Fact]
    public void A_batch_that_this_replicas_log_start_divides_is_taken_whole()
    {
        var request = Append(logStart: 10, batchAt: 20, epoch: 2, records: 3) with { PreviousEpoch = new(2) };
        Assert.Equal(new Offset(20), Follower().Decide(request, new Outline(21, 21, epoch: -1)).RestartAt);
        Assert.Equal((AppendCode.Accepted, new Offset(23)), Follower().Decide(request, new Outline(21, 30, epoch: 2)) is var held ? (held.Code, held.Matched) : default);
    }

    [Fact]
    public void What_this_replica_has_deleted_and_the_leader_knows_as_committed_is_skipped()
    {
        var request = Append(logStart: 20, batchAt: 20, epoch: 1) with { HighWatermark = new(28) };
        var decision = Follower().Decide(request, new Outline(25, 30, epoch: 1));
        Assert.Null(decision.RestartAt);
        Assert.Equal((request.Records.Length, new Offset(21)), (decision.Skip, decision.Matched));
    }

    [Fact]
    public void A_leader_that_does_not_know_yet_how_much_is_committed_is_told_where_this_replica_starts()
    {
        var decision = Follower().Decide(Append(logStart: 20, batchAt: 20, epoch: 1), new Outline(25, 30, epoch: 1));
        Assert.Equal((AppendCode.Mismatch, new EpochEndOffset(LeaderEpoch.None, new Offset(25))), (decision.Code, decision.Hint));
    }

    [Fact]
    public void Another_batch_amid_which_this_replicas_log_starts_makes_it_start_anew()
    {
        var batches = (byte[])[.. Batch(20, epoch: 2, records: 1), .. Batch(21, epoch: 2, records: 4)];
        var request = Probe(from: 20, logStart: 20) with { Records = batches, HighWatermark = new(24) };
        var follower = new FollowerState(new(5), LeaderEpoch.None, new Offset(24));
        var decision = follower.Decide(request, new Outline(24, 26, epoch: 1));
        Assert.Equal((AppendCode.Accepted, null, new Offset(21), new Offset(25)), (decision.Code, decision.TruncateTo, decision.RestartAt, decision.Matched));
        Assert.Equal(Batch(20, epoch: 2, records: 1).Length, decision.Skip);
    }

    [Fact]
    public void What_an_earlier_leader_wrote_where_the_leaders_empty_log_starts_is_dropped()
    {
        var request = Probe(from: 20, logStart: 20) with { LogEndOffset = new(20) };
        Assert.Equal(new Offset(20), Follower().Decide(request, new Outline(5, 30, epoch: 4)).RestartAt);
        Assert.Null(Follower().Decide(request with { LogEndOffset = new(30) }, new Outline(5, 30, epoch: 4)).RestartAt);
        Assert.Null(Follower().Decide(request, new Outline(5, 30, epoch: 5)).RestartAt);
        // Said before the leader's log was known to start further on.
        Assert.Null(Follower().Decide(request, new Outline(25, 25, epoch: -1)).RestartAt);
    }

    [Fact]
    public void What_an_earlier_leader_wrote_behind_all_that_the_leader_has_is_cut_off_at_once()
    {
        var request = Probe(from: 25, logStart: 20, previousEpoch: 4) with { LogEndOffset = new(25) };
        Assert.Equal(new Offset(25), Follower().Decide(request, new Outline(5, 30, epoch: 4)).TruncateTo);
        // There is more where this comes from.
        Assert.Null(Follower().Decide(request with { LogEndOffset = new(27) }, new Outline(5, 30, epoch: 4)).TruncateTo);
        // Overtaken by what the leader has appended since, which was even deleted already.
        Assert.Null(Follower().Decide(request with { PreviousEpoch = new(5) }, new Outline(5, 30, epoch: 5)).TruncateTo);
        Assert.Null(Follower().Decide(request with { From = new(20), LogEndOffset = new(20) }, new Outline(30, 30, epoch: -1)).TruncateTo);
    }

    [Fact]
    public void After_an_unclean_election_a_log_that_starts_later_is_dropped()
    {
        var request = Probe(from: 20, logStart: 20) with { UncleanEpoch = new(9) };
        Assert.Equal(new Offset(20), Follower().Decide(request, new Outline(25, 30, epoch: 1)).RestartAt);
    }

    [Fact]
    public void An_unclean_election_takes_the_high_watermark_back_to_where_the_logs_agree()
    {
        var follower = new FollowerState(new(5), LeaderEpoch.None, new Offset(25));
        follower.Applied(Probe(from: 20, logStart: 20) with { UncleanEpoch = new(9), HighWatermark = new(22) }, new Offset(20));
        Assert.Equal(new Offset(20), follower.HighWatermark);
    }

    [Theory]
    [InlineData(2, new[] { 2, 3, 5 }, AppendCode.Accepted)]
    [InlineData(-1, new[] { 0, 5 }, AppendCode.Accepted)]
    [InlineData(2, new[] { 3, 2 }, AppendCode.Damaged)]
    [InlineData(2, new[] { 1, 3 }, AppendCode.Damaged)]
    [InlineData(2, new[] { 5, 6 }, AppendCode.Damaged)]
    [InlineData(6, new int[0], AppendCode.Damaged)]
    public void Batches_whose_epochs_cannot_be_are_refused(int previous, int[] epochs, AppendCode code)
    {
        var request = Probe(from: 20, logStart: 20, previous) with { Records = epochs.SelectMany((epoch, i) => Batch(20 + i, epoch, records: 1)).ToArray() };
        Assert.Equal(code, Follower().Decide(request, new Outline(20, 20, epoch: -1)).Code);
    }

    [Fact]
    public void Of_a_batch_that_compaction_has_emptied_a_follower_keeps_what_it_has()
    {
        // Everything here is committed: nothing of it may be cut.
        var follower = new FollowerState(new(5), LeaderEpoch.None, new Offset(30));
        var emptied = Probe(from: 20, logStart: 5, previousEpoch: 1) with { Records = Emptied(20, 40, epoch: 1).Concat(Batch(40, epoch: 1, records: 2)).ToArray() };
        var decision = follower.Decide(emptied, new Outline(5, 30, epoch: 1));
        Assert.Equal((AppendCode.Accepted, null, null, 0, new Offset(42)), (decision.Code, decision.TruncateTo, decision.RestartAt, decision.Skip, decision.Matched));
        // And so where the leader's log starts with it.
        decision = follower.Decide(emptied with { LogStartOffset = new(20) }, new Outline(5, 30, epoch: 1));
        Assert.Equal((AppendCode.Accepted, null, null), (decision.Code, decision.TruncateTo, decision.RestartAt));
        // Under another leadership it is something else.
        Assert.Throws<DivergedReplicaException>(() => follower.Decide(emptied with { LogStartOffset = new(20), PreviousEpoch = LeaderEpoch.None }, new Outline(5, 30, epoch: 0)));
    }

    private static FollowerState Follower() => new(new(5), LeaderEpoch.None, Offset.Zero);

    private static AppendRequest Probe(long from, long logStart, int previousEpoch = -1) => new()
    {
        Partition = new("events", 0),
        Leader = new(1),
        LeaderEpoch = new(5),
        UncleanEpoch = LeaderEpoch.None,
        From = new(from),
        PreviousEpoch = new(previousEpoch),
        LogStartOffset = new(logStart),
        HighWatermark = new(logStart),
    };

    private static AppendRequest Append(long logStart, long batchAt, int epoch, int records = 1) =>
        Probe(batchAt, logStart) with { Records = Batch(batchAt, epoch, records) };

    private static byte[] Batch(long at, int epoch, int records)
    {
        var batch = TestBatches.At([.. Enumerable.Repeat(1L, records)]);
        RecordBatch.AssignOffset(batch, new Offset(at), new LeaderEpoch(epoch));
        return batch;
    }

    private static byte[] Emptied(long from, long to, int epoch)
    {
        var batch = new byte[EmptyBatch.Size];
        EmptyBatch.Write(batch, new(from), new(to), new(epoch));
        return batch;
    }

    private sealed class Outline(long start, long end, int epoch) : ILogOutline
    {
        public Offset LogStartOffset => new(start);

        public Offset LogEndOffset => new(end);

        public LeaderEpoch LatestEpoch => new(epoch);

        public LeaderEpoch EpochAt(Offset offset) =>
            offset < LogStartOffset || offset >= LogEndOffset ? LeaderEpoch.None : LatestEpoch;

        public EpochEndOffset EndOffsetFor(LeaderEpoch asked) => asked == LatestEpoch ? new(asked, LogEndOffset) : EpochEndOffset.Unknown;
    }
}
