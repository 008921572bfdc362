using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Replication;

public sealed class ReplicaPlacementTests
{
    private static readonly PlaceableBroker[] SixInThreeRacks =
        [.. Enumerable.Range(0, 6).Select(id => new PlaceableBroker(new BrokerId(id), $"rack-{id / 2}"))];

    [Fact]
    public void Leaders_and_replicas_are_spread_evenly()
    {
        var placed = ReplicaPlacement.Place(SixInThreeRacks, 0, 30, 3);

        Assert.All(placed.GroupBy(replicas => replicas[0]), leaders => Assert.Equal(5, leaders.Count()));
        Assert.Equal(6, placed.Select(replicas => replicas[0]).Distinct().Count());
        Assert.All(placed.SelectMany(replicas => replicas).GroupBy(id => id), held => Assert.InRange(held.Count(), 12, 18));
    }

    [Fact]
    public void No_two_replicas_share_a_rack_while_there_is_another()
    {
        var placed = ReplicaPlacement.Place(SixInThreeRacks, 0, 30, 3);

        Assert.All(placed, replicas => Assert.Equal(3, replicas.Select(id => id.Value / 2).Distinct().Count()));
        Assert.All(placed, replicas => Assert.Equal(3, replicas.Distinct().Count()));
    }

    [Fact]
    public void More_replicas_than_racks_still_go_to_different_brokers() =>
        Assert.All(ReplicaPlacement.Place(SixInThreeRacks, 0, 12, 5), replicas => Assert.Equal(5, replicas.Distinct().Count()));

    [Fact]
    public void More_replicas_than_brokers_are_refused() =>
        Assert.Throws<ArgumentException>(() => ReplicaPlacement.Place(SixInThreeRacks, 0, 1, 7));

    [Fact]
    public void A_broker_that_stays_away_is_replaced_by_the_emptiest_in_a_rack_of_its_own()
    {
        var living = SixInThreeRacks.Where(broker => broker.Id.Value != 4).ToList();
        var healed = ReplicaPlacement.Heal([new(0), new(2), new(4)], living, id => id.Value == 4, id => id.Value == 1 ? 0 : 10);

        Assert.Equal([new BrokerId(0), new BrokerId(2), new BrokerId(5)], healed!.Value);
    }

    [Fact]
    public void Nothing_is_moved_while_everybody_is_there() =>
        Assert.Null(ReplicaPlacement.Heal([new(0), new(2)], SixInThreeRacks, _ => false, _ => 0));
}
