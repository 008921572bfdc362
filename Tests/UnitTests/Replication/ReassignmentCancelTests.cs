using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Replication;

public sealed class ReassignmentCancelTests
{
    private static readonly PartitionRecord Moving = Reassignment.Begin(
        PartitionRecord.Create([new(new(0), 1), new(new(1), 1)], "n") with { Leader = new(0), LeaderEpoch = new(3) }, [new(1), new(2)]);

    [Fact]
    public void A_leader_that_was_added_leads_no_more()
    {
        var cancelled = Reassignment.Cancel(Moving with { Leader = new(2), InSync = [.. Moving.InSync, new(new(2), 1)] });
        Assert.Equal(BrokerId.None, cancelled.Leader);
        Assert.Equal([1, 0], cancelled.Replicas.Select(id => id.Value));
        Assert.All(cancelled.InSync, member => Assert.Contains(member.Broker, cancelled.Replicas));
    }

    [Fact]
    public void What_a_move_has_added_goes_at_once_when_the_next_one_does_not_want_it()
    {
        var moved = Reassignment.Begin(Moving, [new(0), new(3)]);
        Assert.Equal([0, 3, 1], moved.Replicas.Select(id => id.Value));
        Assert.Equal([3], moved.Adding.Select(id => id.Value));
        Assert.Equal([0, 1], Reassignment.Cancel(moved).Replicas.Select(id => id.Value));
    }

    [Fact]
    public void A_move_is_not_given_up_while_only_what_was_added_is_in_sync()
    {
        var moving = Moving with { Leader = new(2), InSync = [new(new(2), 1)] };
        Assert.Same(moving, Reassignment.Cancel(moving));
    }
}
