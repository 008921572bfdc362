using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.UnitTests.Client;

public sealed class AssignorTests
{
    [Fact]
    public void Range_gives_neighbours_and_the_first_members_the_rest()
    {
        var shares = Assignors.Range.Assign([Member("a", "t"), Member("b", "t"), Member("c", "t")], Counts(("t", 7)));
        Assert.Equal(["t-0", "t-1", "t-2"], Names(shares["a"]));
        Assert.Equal(["t-3", "t-4"], Names(shares["b"]));
        Assert.Equal(["t-5", "t-6"], Names(shares["c"]));
    }

    [Fact]
    public void Round_robin_deals_out_over_topics()
    {
        var shares = Assignors.RoundRobin.Assign([Member("a", "t", "u"), Member("b", "t", "u")], Counts(("t", 3), ("u", 3)));
        Assert.Equal(["t-0", "t-2", "u-1"], Names(shares["a"]));
        Assert.Equal(["t-1", "u-0", "u-2"], Names(shares["b"]));
    }

    [Fact]
    public void Members_only_get_what_they_subscribe_to()
    {
        foreach (var assignor in new[] { Assignors.Range, Assignors.RoundRobin, Assignors.CooperativeSticky })
        {
            var shares = assignor.Assign([Member("a", "t"), Member("b", "u")], Counts(("t", 2), ("u", 2)));
            Assert.All(shares["a"], partition => Assert.Equal("t", partition.Topic));
            Assert.All(shares["b"], partition => Assert.Equal("u", partition.Topic));
        }
    }

    [Fact]
    public void The_order_of_members_does_not_matter()
    {
        foreach (var assignor in new[] { Assignors.Range, Assignors.RoundRobin, Assignors.CooperativeSticky })
        {
            var members = new[] { Member("a", "t"), Member("b", "t"), Member("c", "t") };
            var forth = assignor.Assign(members, Counts(("t", 8)));
            var back = assignor.Assign([.. members.Reverse()], Counts(("t", 8)));
            Assert.All(forth, share => Assert.Equal(Names(share.Value), Names(back[share.Key])));
        }
    }

    [Fact]
    public void Sticky_lets_go_before_it_hands_over()
    {
        GroupSubscription[] members = [Owning("a", 1, 0, 1, 2, 3), Member("b", "t")];
        var shares = Assignors.CooperativeSticky.Assign(members, Counts(("t", 4)));
        Assert.Equal(2, shares["a"].Count);
        Assert.Empty(shares["b"]);

        GroupSubscription[] next = [Owning("a", 2, [.. shares["a"].Select(partition => partition.Partition)]), Member("b", "t")];
        var final = Assignors.CooperativeSticky.Assign(next, Counts(("t", 4)));
        Assert.Equal(Names(shares["a"]), Names(final["a"]));
        Assert.Equal(2, final["b"].Count);
    }

    [Fact]
    public void Sticky_believes_the_later_generation()
    {
        GroupSubscription[] members = [Owning("a", 1, 0, 1), Owning("b", 2, 0)];
        var shares = Assignors.CooperativeSticky.Assign(members, Counts(("t", 2)));
        Assert.Equal(["t-1"], Names(shares["a"]));
        Assert.Equal(["t-0"], Names(shares["b"]));
    }

    [Fact]
    public void Sticky_balances_at_random_and_moves_nothing_in_vain()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var count = random.Next(1, 20);
            var members = Enumerable.Range(0, random.Next(1, 6)).Select(i => Member($"m{i}", "t")).ToList();
            var settled = Settle(members, Counts(("t", count)));
            Assert.Equal(count, settled.Sum(member => member.Owned.Count));
            Assert.Equal(count, settled.SelectMany(member => member.Owned).Distinct().Count());
            Assert.InRange(settled.Max(member => member.Owned.Count) - settled.Min(member => member.Owned.Count), 0, 1);
            var again = Assignors.CooperativeSticky.Assign(settled, Counts(("t", count)));
            Assert.All(settled, member => Assert.Equal(Names(member.Owned), Names(again[member.MemberId])));
        }
    }

    private static List<GroupSubscription> Settle(List<GroupSubscription> members, Dictionary<string, int> counts)
    {
        for (var generation = 1; generation <= 3; generation++)
        {
            var shares = Assignors.CooperativeSticky.Assign(members, counts);
            members = members.ConvertAll(member => member with { Owned = shares[member.MemberId], Generation = generation });
        }
        return members;
    }

    private static GroupSubscription Member(string id, params string[] topics) => new(id, null, topics, [], -1);

    private static GroupSubscription Owning(string id, int generation, params int[] partitions) =>
        new(id, null, ["t"], [.. partitions.Select(partition => new TopicPartition("t", partition))], generation);

    private static Dictionary<string, int> Counts(params (string Topic, int Count)[] counts) => counts.ToDictionary(pair => pair.Topic, pair => pair.Count);

    private static IEnumerable<string> Names(IEnumerable<TopicPartition> partitions) => partitions.Select(partition => partition.ToString()).Order();
}
