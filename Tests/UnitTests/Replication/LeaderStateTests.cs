using OrleansLog.Protocol;
using OrleansLog.Replication.Leading;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Replication;

public sealed class LeaderStateTests
{
    [Fact]
    public void Nothing_is_committed_until_every_in_sync_replica_holds_it()
    {
        var script = new LeaderScript(end: 4);

        Assert.False(script.Accept(1, matched: 4).HasCommitted);
        Assert.True(script.Accept(2, matched: 4).HasCommitted);
        Assert.Equal(new Offset(4), script.State.HighWatermark);
    }

    [Fact]
    public void A_replica_that_leaves_counts_until_the_register_has_let_it_go()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);

        var effects = script.Die(2);

        Assert.False(effects.HasCommitted);
        Assert.Equal([0, 1], effects.Proposal!.InSync.Select(member => member.Broker.Value));
        Assert.True(script.Write(effects.Proposal).HasCommitted);
    }

    [Fact]
    public void A_replica_that_joins_counts_before_the_register_has_taken_it_in()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);
        script.Write(script.Die(2).Proposal!);
        script.Write(script.Die(1).Proposal!);
        var alone = script.State.Current.Record;
        Assert.Equal([1], alone.Eligible.Select(member => member.Broker.Value));

        script.Append(2);
        Assert.Equal(new Offset(4), script.State.HighWatermark);
    }

    [Fact]
    public void A_follower_that_lags_for_too_long_leaves()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);
        script.Append(1);
        script.NowMs += 400;
        script.Accept(1, matched: 5);
        Assert.Null(script.State.Tick(script.NowMs).Proposal);

        script.NowMs += 200;

        Assert.Equal([0, 1], script.State.Tick(script.NowMs).Proposal!.InSync.Select(member => member.Broker.Value));
    }

    [Fact]
    public void What_a_replica_held_before_an_unclean_restart_counts_no_more()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);

        var effects = script.Accept(2, matched: 0, brokerEpoch: 2, cleanSince: 2);

        Assert.True(effects.MustReload);
        Assert.Equal(Offset.Zero, script.Follower(2).Matched);
        Assert.Equal([0, 1], effects.Proposal!.InSync.Select(member => member.Broker.Value));
    }

    [Fact]
    public void The_record_is_read_again_when_a_member_has_restarted_since_it_became_one()
    {
        var script = new LeaderScript(end: 4);

        Assert.False(script.Accept(1, matched: 4).MustReload);
        Assert.True(script.Accept(2, matched: 4, brokerEpoch: 2).MustReload);
    }

    [Fact]
    public void A_follower_that_restarted_before_anybody_missed_it_is_asked_what_it_has_left()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);
        script.NowMs += 10_000;
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);
        Assert.Null(script.State.NextSend(script.Follower(2), script.NowMs));

        script.Restart(2, brokerEpoch: 2);

        Assert.Null(script.State.NextSend(script.Follower(1), script.NowMs));
        Assert.NotNull(script.State.NextSend(script.Follower(2), script.NowMs));
        var left = script.Accept(2, matched: 0, brokerEpoch: 2, cleanSince: 2).Proposal;
        Assert.Equal([0, 1], left!.InSync.Select(member => member.Broker.Value));
    }

    [Fact]
    public void Nothing_is_committed_while_the_record_is_in_doubt()
    {
        var script = new LeaderScript(end: 4);
        script.State.RecordChanged();
        script.Accept(1, matched: 4);

        Assert.False(script.Accept(2, matched: 4).HasCommitted);
        Assert.True(script.State.Reloaded(script.State.Current, script.NowMs).HasCommitted);
    }

    [Fact]
    public void A_higher_epoch_ends_the_leadership()
    {
        var script = new LeaderScript(end: 4);
        var plan = script.State.NextSend(script.Follower(1), script.NowMs)!.Value;
        script.Follower(1).Sent(plan, plan.From, 0);

        var reply = LeaderScript.Reply(AppendCode.Fenced) with { LeaderEpoch = new(4) };

        Assert.True(script.State.Replied(script.Follower(1), plan, 0, reply, script.NowMs).MustStepDown);
    }

    [Fact]
    public void An_idle_partition_tells_its_followers_where_its_log_starts_now()
    {
        var script = new LeaderScript(end: 4);
        foreach (var broker in (int[])[1, 2]) script.Accept(broker, matched: 4);
        script.NowMs = script.State.NextDeadlineMs(script.NowMs)!.Value;
        foreach (var broker in (int[])[1, 2]) script.Accept(broker, matched: 4);
        Assert.Null(script.State.NextDeadlineMs(script.NowMs));

        script.LogStartOffset = new(3);
        script.NowMs = script.State.NextDeadlineMs(script.NowMs)!.Value;
        var plan = script.State.NextSend(script.Follower(1), script.NowMs)!.Value;

        Assert.Equal((new Offset(3), new Offset(4)), (plan.LogStart, plan.From));
    }

    [Fact]
    public void A_follower_that_ends_before_the_log_starts_is_asked_about_the_start()
    {
        var script = new LeaderScript(end: 40) { LogStartOffset = new(20) };
        var follower = script.Follower(1);
        var plan = script.State.NextSend(follower, script.NowMs)!.Value;
        follower.Sent(plan, plan.From, 0);
        var reply = LeaderScript.Reply(AppendCode.Mismatch) with { Hint = new(LeaderEpoch.None, Offset.Zero) };
        script.State.Replied(follower, plan, 0, reply, script.NowMs);

        var next = script.State.NextSend(follower, script.NowMs)!.Value;

        Assert.Equal((new Offset(20), new Offset(20), LeaderEpoch.None), (next.From, next.LogStart, next.PreviousEpoch));
    }

    [Fact]
    public void A_follower_whose_log_starts_later_is_asked_about_its_own_start()
    {
        var script = new LeaderScript(end: 40);
        var follower = script.Follower(1);
        var plan = script.State.NextSend(follower, script.NowMs)!.Value;
        follower.Sent(plan, plan.From, 0);
        script.State.Replied(follower, plan, 0, LeaderScript.Reply(AppendCode.Mismatch) with { Hint = new(LeaderEpoch.None, new(30)) }, script.NowMs);
        Assert.Equal(new Offset(30), script.State.NextSend(follower, script.NowMs)!.Value.From);
    }

    [Fact]
    public void A_replica_that_left_by_itself_must_show_anew_what_it_holds()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);
        var late = script.State.NextSend(script.Follower(2), script.NowMs + 1_000)!.Value;
        script.Follower(2).Sent(late, late.From, 0);
        var left = script.State.Current.Record.Distrusting(new(2));
        script.State.RecordChanged();

        Assert.Null(script.State.Reloaded(new(left, new(9)), script.NowMs).Proposal);
        var reply = LeaderScript.Reply(AppendCode.Accepted) with { Matched = new(4) };
        Assert.Null(script.State.Replied(script.Follower(2), late, 0, reply, script.NowMs).Proposal);
        Assert.True(script.Accept(2, matched: 4).Proposal!.IsInSync(new(2)));
    }

    /// <summary>When its write comes to its turn, the leader may know a later version, which it must not overwrite.</summary>
    [Fact]
    public void A_proposal_names_the_version_that_it_was_made_from()
    {
        var script = new LeaderScript(end: 4);
        var made = script.Die(2);
        script.State.RecordChanged();
        script.State.Reloaded(new(script.State.Current.Record, new(9)), script.NowMs);
        Assert.Equal((new RegisterVersion(1), new RegisterVersion(9)), (made.Replaces, script.State.Current.Version));
    }

    [Fact]
    public void An_idle_partition_sends_the_high_watermark_once_and_then_rests()
    {
        var script = new LeaderScript(end: 4);
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);
        Assert.Null(script.State.NextSend(script.Follower(1), script.NowMs));

        script.NowMs = script.State.NextDeadlineMs(script.NowMs)!.Value;
        Assert.Equal(new Offset(4), script.State.NextSend(script.Follower(1), script.NowMs)!.Value.HighWatermark);
        script.Accept(1, matched: 4);
        script.Accept(2, matched: 4);

        Assert.Null(script.State.NextDeadlineMs(script.NowMs));
    }
}
