using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Coordination.ShareStates;

namespace OrleansLog.UnitTests.Shares;

public sealed class ShareStateRangesTests
{
    private const int Offsets = 24;

    private static readonly DeliveryState[] States = [DeliveryState.Available, DeliveryState.Acknowledged, DeliveryState.Archived];

    public static IEnumerable<TheoryDataRow<int>> Seeds() => Enumerable.Range(0, 200).Select(seed => new TheoryDataRow<int>(seed));

    [Theory, MemberData(nameof(Seeds))]
    public void Ranges_laid_over_others_hold_what_each_offset_was_told_last(int seed)
    {
        var random = new Random(seed);
        IReadOnlyList<ShareStateRange> ranges = [];
        var expected = new ShareStateRange?[Offsets];
        var start = 0L;
        for (var round = 0; round < 20; round++)
        {
            var over = Draw(random);
            start = Math.Min(Offsets, start + random.Next(3));
            Assert.True(ShareStateRanges.AreValid(over, start, Offsets + 1));
            ranges = ShareStateRanges.Overlay(ranges, over, start);
            foreach (var range in over)
            {
                for (var offset = range.First; offset <= range.Last; offset++) expected[offset] = range;
            }
            for (var offset = 0L; offset < Offsets; offset++)
            {
                var found = ranges.Where(range => range.First <= offset && offset <= range.Last).Select(range => ((DeliveryState, short)?)(range.State, range.DeliveryCount)).ToList();
                var told = offset < start ? null : expected[offset];
                Assert.Equal(told is { } last ? [(last.State, last.DeliveryCount)] : [], found);
            }
            Assert.True(ShareStateRanges.AreValid(ranges, start, Offsets + 1));
        }
    }

    [Fact]
    public void Ranges_that_make_no_sense_are_refused()
    {
        ShareStateRange good = new(5, 6, DeliveryState.Acknowledged, 1);
        Assert.True(ShareStateRanges.AreValid([good], 0, 10));
        foreach (var bad in new[]
        {
            good with { First = 7 }, good with { First = -1 }, good with { DeliveryCount = -1 }, good with { State = DeliveryState.Acquired }, good with { State = (DeliveryState)9 },
            good with { Last = 10 }, good with { Last = long.MaxValue },
        })
            Assert.False(ShareStateRanges.AreValid([bad], 0, 10), bad.ToString());
        Assert.False(ShareStateRanges.AreValid([good, good with { First = 6 }], 0, 10));
    }

    private static List<ShareStateRange> Draw(Random random)
    {
        var ranges = new List<ShareStateRange>();
        for (var at = random.Next(6); at < Offsets; at += 1 + random.Next(6))
        {
            var last = Math.Min(Offsets - 1, at + random.Next(4));
            ranges.Add(new(at, last, States[random.Next(3)], (short)random.Next(3)));
            at = last;
        }
        return ranges;
    }
}
