using OrleansLog.Storage;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Storage;

public sealed class ThrottleTests
{
    [Fact]
    public void Without_a_limit_nobody_waits()
    {
        var throttle = new Throttle(new ManualClock());
        for (var i = 0; i < 3; i++) Assert.True(throttle.WaitAsync(1 << 30, long.MaxValue, default).IsCompleted);
    }

    [Fact]
    public void All_share_the_rate()
    {
        var clock = new ManualClock();
        var throttle = new Throttle(clock);
        var waits = Enumerable.Range(0, 4).Select(_ => throttle.WaitAsync(500, bytesPerSecond: 1000, default)).ToArray();
        Assert.Equal([true, false, false, false], waits.Select(wait => wait.IsCompleted));
        clock.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal([true, true, false, false], waits.Select(wait => wait.IsCompleted));
        clock.Advance(TimeSpan.FromMilliseconds(1000));
        Assert.All(waits, wait => Assert.True(wait.IsCompleted));
    }

    [Fact]
    public void What_was_not_sent_is_given_back()
    {
        var clock = new ManualClock();
        var throttle = new Throttle(clock);
        _ = throttle.WaitAsync(1000, bytesPerSecond: 1000, default);
        throttle.Return(900, bytesPerSecond: 1000);
        var next = throttle.WaitAsync(1000, bytesPerSecond: 1000, default);
        clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(next.IsCompleted);
    }

    [Fact]
    public void A_rate_that_was_not_used_does_not_add_up()
    {
        var clock = new ManualClock();
        var throttle = new Throttle(clock);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(throttle.WaitAsync(1000, bytesPerSecond: 1000, default).IsCompleted);
        Assert.False(throttle.WaitAsync(1000, bytesPerSecond: 1000, default).IsCompleted);
    }
}
