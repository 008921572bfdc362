using OrleansLog.Broker.Configuration;

namespace OrleansLog.UnitTests.Configuration;

public sealed class NearestNameTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("abc", "abc", 0)]
    [InlineData("abc", "ABC", 0)]
    [InlineData("abc", "", 3)]
    [InlineData("abc", "acb", 1)]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("data", "dtaa", 1)]
    public void Edits_are_insertions_deletions_substitutions_and_swaps(string a, string b, int expected)
    {
        Assert.Equal(expected, NearestName.Edits(a, b));
        Assert.Equal(expected, NearestName.Edits(b, a));
    }

    [Fact]
    public void Nothing_is_suggested_for_a_name_unlike_any_other() =>
        Assert.Null(NearestName.Find("completely-different", ["data", "kafka-port"]));

    [Fact]
    public void An_endless_name_does_no_harm() =>
        Assert.Null(NearestName.Find(new string('x', 100_000), ["data"]));
}
