using OrleansLog.Storage.Compaction;

namespace OrleansLog.UnitTests.Storage;

/// <summary>The keys that compaction has seen, up to the last place and no further.</summary>
public sealed class KeySetTests
{
    private const int FurthestFromHome = 1023;

    private readonly Random _random = new(1);

    [Theory]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(800_000)]
    public void Every_key_is_new_once_until_there_is_no_room(int bytesMax)
    {
        var keys = new KeySet(int.MaxValue, bytesMax);
        for (var round = 0; round < 2; round++)
        {
            var seen = new List<KeyHash>();
            while (seen.Count < keys.CountMax)
            {
                var key = seen.Count > 0 && _random.Next(2) == 0 ? seen[_random.Next(seen.Count)] : RandomKey();
                var isKnown = keys.Contains(key);
                Assert.Equal(isKnown ? KeyAddition.Known : KeyAddition.New, keys.Add(key));
                if (!isKnown) seen.Add(key);
            }

            Assert.All(seen, key => Assert.True(keys.Contains(key)));
            Assert.Equal(KeyAddition.Known, keys.Add(seen[0]));
            Assert.False(keys.Contains(RandomKey()));
            Assert.Equal(KeyAddition.NoRoom, keys.Add(RandomKey()));
            keys.Clear();
            Assert.All(seen, key => Assert.False(keys.Contains(key)));
        }
    }

    [Fact]
    public void Keys_with_one_home_stand_in_a_row_that_ends_somewhere()
    {
        var keys = new KeySet(int.MaxValue, 8 * 5000);
        // At the end of the table, from where the row goes on at its beginning.
        var crowd = Enumerable.Range(1, FurthestFromHome + 1).Select(each => new KeyHash(ulong.MaxValue, (ulong)each)).ToList();
        foreach (var key in crowd[..FurthestFromHome]) Assert.Equal(KeyAddition.New, keys.Add(key));
        Assert.Equal(KeyAddition.NoRoom, keys.Add(crowd[^1]));
        Assert.All(crowd[..FurthestFromHome], key => Assert.True(keys.Contains(key)));
        Assert.False(keys.Contains(crowd[^1]));
        // Two whose home is right before: the second one pushes the last of the row too far away.
        var before = (ulong)(4998.5 / 5000 * Math.Pow(2, 64));
        Assert.Equal(KeyAddition.New, keys.Add(new(before, 7)));
        Assert.Equal(KeyAddition.NoRoom, keys.Add(new(before, 8)));
    }

    private KeyHash RandomKey() => new((ulong)_random.NextInt64(long.MinValue, long.MaxValue), (ulong)_random.NextInt64(long.MinValue, long.MaxValue));
}
