using OrleansLog.Storage.Tiering;
using OrleansLog.UnitTests.Support;

namespace OrleansLog.UnitTests.Storage.Tiering;

/// <summary>What goes to a store and comes from it takes its time.</summary>
public sealed class PacedRemoteStoreTests
{
    private const int MiB = 1 << 20;

    private readonly ManualClock _clock = new();

    [Fact]
    public async Task An_object_is_written_at_the_rate()
    {
        var store = new PacedRemoteStore(new MemoryRemoteStore(_clock), writeBytesPerSecond: MiB, long.MaxValue, _clock);
        var writing = store.WriteAsync("a.log", new MemoryStream(new byte[4 * MiB]), default);

        // The first part goes at once, and the others in their turn.
        Assert.Equal(TimeSpan.FromSeconds(3.75), await PassTimeUntilAsync(writing));
        Assert.Equal(4 * MiB, await store.ReadAsync("a.log", 0, new byte[4 * MiB], default));
    }

    [Fact]
    public async Task All_who_read_share_the_rate()
    {
        var inner = new MemoryRemoteStore(_clock);
        await inner.WriteAsync("a.log", new MemoryStream(new byte[MiB]), default);
        var store = new PacedRemoteStore(inner, long.MaxValue, readBytesPerSecond: MiB, _clock);

        var reading = Task.WhenAll(Enumerable.Range(0, 3).Select(_ => store.ReadAsync("a.log", 0, new byte[MiB], default)));

        Assert.Equal(TimeSpan.FromSeconds(2), await PassTimeUntilAsync(reading));
    }

    private async Task<TimeSpan> PassTimeUntilAsync(Task done)
    {
        var begun = _clock.GetUtcNow();
        for (; !done.IsCompleted; await Task.Yield())
        {
            if (_clock.TimerCount > 0) _clock.Advance(TimeSpan.FromMilliseconds(50));
        }
        await done;
        return _clock.GetUtcNow() - begun;
    }
}
