using OrleansLog.Protocol;
using OrleansLog.Replication;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Replication;

public sealed class ElectionTests
{
    private static readonly PartitionRecord Record =
        PartitionRecord.Create([new(new(0), 1), new(new(1), 1), new(new(2), 1)], "n") with { Leader = new(0), LeaderEpoch = new(3) };

    [Fact]
    public void The_dead_leave_the_in_sync_set_and_stay_eligible_while_it_is_too_small()
    {
        var elected = Election.Elect(
            Record, new(new(1), 1, 1, 1), Election.Claim.InSync, id => id.Value == 1, new() { MinInSyncReplicas = 2 });

        Assert.Equal(new LeaderEpoch(4), elected.LeaderEpoch);
        Assert.Equal([1], elected.InSync.Select(member => member.Broker.Value));
        Assert.Equal([0, 2], elected.Eligible.Select(member => member.Broker.Value));
    }

    [Theory]
    [InlineData(2, 1, 1, true, Election.Claim.InSync)]
    [InlineData(2, 2, 1, true, Election.Claim.Recovered)]
    [InlineData(2, 2, 1, false, Election.Claim.Survivor)]
    [InlineData(2, 2, 2, true, Election.Claim.None)]
    public void A_restart_costs_what_it_may_have_lost(long epoch, long cleanSince, long diskSince, bool flushes, Election.Claim claim) =>
        Assert.Equal(claim, Election.ClaimOf(Record, new(new(1), epoch, cleanSince, diskSince), new() { IsFlushedBeforeAcknowledged = flushes }));

    [Fact]
    public void A_replica_outside_of_the_set_leads_only_where_the_topic_accepts_loss()
    {
        var without = Record.Distrusting(new(1));
        BrokerRecord self = new(new(1), 1, 1, 1);

        Assert.Equal(Election.Claim.None, Election.ClaimOf(without, self, new()));
        Assert.Equal(Election.Claim.Unclean, Election.ClaimOf(without, self, new() { UncleanLeaderElectionEnable = true }));
    }

    [Theory]
    [InlineData(2, 2, true)]
    [InlineData(2, 1, false)]
    [InlineData(1, 1, false)]
    public async Task A_survivor_waits_for_whoever_may_still_have_more(long epochOfOthers, long cleanSinceOfOthers, bool leads) =>
        Assert.Equal(leads, await Election.IsLastSurvivorAsync(
            Record, new(1), id => Task.FromResult<BrokerRecord?>(new(id, epochOfOthers, cleanSinceOfOthers, 1))));

    /// <summary>Whoever stopped cleanly since it was in sync still has everything, as one that never stopped.</summary>
    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(2, 1, true)]
    [InlineData(2, 2, false)]
    public async Task A_replica_in_doubt_gives_way_to_one_that_stopped_cleanly(long epochOfOthers, long cleanSinceOfOthers, bool givesWay)
    {
        var others = new LivingBrokers(new(0));
        Assert.Equal(givesWay, await Election.HasBetterAsync(
            Record, new(1), others, id => Task.FromResult<BrokerRecord?>(new(id, epochOfOthers, cleanSinceOfOthers, 1))));
    }

    private sealed class LivingBrokers(BrokerId alive) : IClusterView
    {
        public bool IsAlive(BrokerId broker) => broker == alive;

        public long EpochOf(BrokerId broker) => long.MaxValue;
    }

    [Fact]
    public void A_survivor_begins_a_history_of_its_own()
    {
        var elected = Election.Elect(Record, new(new(1), 2, 2, 1), Election.Claim.Survivor, _ => true, new());

        Assert.Equal(elected.LeaderEpoch, elected.UncleanEpoch);
        Assert.Equal([1], elected.InSync.Select(member => member.Broker.Value));
    }

    [Fact]
    public void A_clean_stop_keeps_what_was_won_and_an_unclean_one_does_not()
    {
        var first = BrokerRecord.Next(new(1), null, null, diskIsNew: true);
        var clean = BrokerRecord.Next(new(1), first, cleanStopOf: 1, diskIsNew: false);
        var crashed = BrokerRecord.Next(new(1), clean, cleanStopOf: null, diskIsNew: false);
        var wiped = BrokerRecord.Next(new(1), crashed, cleanStopOf: 3, diskIsNew: true);
        InSyncReplica member = new(new(1), 1);

        Assert.Equal(ReplicaTrust.Kept, clean.TrustIn(member));
        Assert.Equal(ReplicaTrust.Recovered, crashed.TrustIn(member));
        Assert.Equal(ReplicaTrust.Lost, wiped.TrustIn(member));
    }

    [Fact]
    public void Records_survive_the_register()
    {
        var record = Record with { Eligible = [new(new(4), 7)], UncleanEpoch = new(2), Adding = [new(5)], Removing = [new(0)] };

        Assert.Equal(record.ToString(), PartitionRecord.Parse(record.Serialize()).ToString());
        Assert.Equal(record.UncleanEpoch, PartitionRecord.Parse(record.Serialize()).UncleanEpoch);
        Assert.Throws<InvalidDataException>(() => PartitionRecord.Parse("{"u8));
    }

    [Fact]
    public void A_move_ends_when_what_was_added_is_in_sync_and_the_leader_stays()
    {
        var moving = Reassignment.Begin(Record, [new(1), new(3)]);
        Assert.Equal([1, 3, 0, 2], moving.Replicas.Select(id => id.Value));
        Assert.Same(moving, Reassignment.Finish(moving, 1));

        var caughtUp = moving with { Leader = new(1), InSync = [.. moving.InSync, new(new(3), 1)] };
        var ended = Reassignment.Finish(caughtUp, 1);

        Assert.Equal([1, 3], ended.Replicas.Select(id => id.Value));
        Assert.Equal([1, 3], ended.InSync.Select(member => member.Broker.Value).Order());
    }
}
