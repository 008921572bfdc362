using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class FlushTests
{
    [Fact]
    public async Task What_is_appended_after_a_roll_and_a_restart_survives_a_power_failure()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentMs = long.MaxValue } }.OpenAsync();
            harness.Append(batches: 5);
            harness.Log.Roll();
            await harness.ReopenAsync();
            harness.Append(batches: 5);
            await harness.FlushAsync();
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(10), harness.Log.LogEndOffset);
        }
    }

    [Fact]
    public async Task A_log_whose_flush_failed_is_not_closed_as_if_all_of_it_were_safe()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        harness.Disk.FailFlushes = true;
        await Assert.ThrowsAsync<StorageException>(harness.FlushAsync);
        harness.Disk.FailFlushes = false;
        await Assert.ThrowsAsync<StorageException>(async () => await harness.Log.DisposeAsync());
        await harness.Log.DisposeAsync();
    }

    [Fact]
    public async Task A_log_whose_last_file_was_cut_short_loses_nothing_that_it_takes_later()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentMs = long.MaxValue } }.OpenAsync();
            harness.Append(batches: 5);
            harness.Log.Roll();
            await harness.Log.DisposeAsync();
            using (var file = harness.Disk.Open(LogHarness.SegmentPath(0), create: false))
            {
                file.Truncate(200);
                await file.FlushAsync();
            }

            await harness.OpenAsync();
            harness.Append(batches: 5);
            await harness.FlushAsync();
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(10), harness.Log.LogEndOffset);
            Assert.Equal(ErrorCode.None, harness.Log.Read(new Offset(5), 1000, new Offset(10)).Error);
            Assert.Equal(ErrorCode.CorruptMessage, harness.Log.Read(new Offset(4), 1000, new Offset(10)).Error);
        }
    }

    [Fact]
    public async Task What_is_recovered_after_a_failed_flush_survives_a_power_failure()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed).OpenAsync();
            harness.Append(batches: 5);
            await harness.FlushAsync();
            harness.Append(batches: 5);
            harness.Disk.FailFlushes = true;
            await Assert.ThrowsAnyAsync<IOException>(harness.FlushAsync);
            harness.Disk.FailFlushes = false;
            await harness.ReopenAfterKillAsync();
            var flushed = harness.Log.FlushedOffset;
            await harness.ReopenAfterPowerFailureAsync();
            Assert.True(harness.Log.LogEndOffset >= flushed, $"{flushed} was called durable; {harness.Log.LogEndOffset} is left");
        }
    }

    [Fact]
    public async Task Those_who_come_during_a_flush_share_the_next_one()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 1);
        await harness.FlushAsync();
        harness.Disk.HoldFlushes = true;
        var before = harness.Disk.FlushCount;

        var first = FlushAfterAppend(harness);
        var later = Enumerable.Range(0, 10).Select(_ => FlushAfterAppend(harness)).ToArray();
        Assert.Equal(before + 1, harness.Disk.FlushCount);

        harness.Disk.ReleaseFlushes();
        await first;
        Assert.Equal(new Offset(2), harness.Log.FlushedOffset);
        Assert.All(later, task => Assert.False(task.IsCompleted));
        await harness.Disk.FlushHeldAsync();
        harness.Disk.ReleaseFlushes();
        await Task.WhenAll(later);
        Assert.Equal(new Offset(12), harness.Log.FlushedOffset);
        Assert.Equal(before + 2, harness.Disk.FlushCount);
    }

    [Fact]
    public async Task A_flush_that_covers_the_offset_already_is_joined()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 4);
        harness.Disk.HoldFlushes = true;
        var whole = harness.FlushAsync();
        var part = harness.Log.FlushAsync(new Offset(2)).AsTask();
        Assert.Equal(1, harness.Disk.FlushCount);
        harness.Disk.HoldFlushes = false;
        harness.Disk.ReleaseFlushes();
        await Task.WhenAll(whole, part);
    }

    [Fact]
    public async Task What_was_flushed_survives_with_the_name_of_its_file()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed).OpenAsync();
            harness.Append(batches: 5);
            await harness.FlushAsync();
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(5), harness.Log.LogEndOffset);
        }
    }

    [Fact]
    public async Task A_failed_flush_stops_the_log()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 1);
        harness.Disk.FailFlushes = true;
        var error = await Assert.ThrowsAsync<StorageException>(harness.FlushAsync);
        Assert.Contains(LogHarness.Directory, error.Message, StringComparison.Ordinal);
        Assert.Contains("The disk failed", error.Message, StringComparison.Ordinal);

        harness.Disk.FailFlushes = false;
        Assert.Throws<StorageException>(() => harness.Append(batches: 1));
        await Assert.ThrowsAsync<StorageException>(harness.FlushAsync);
        Assert.Equal(Offset.Zero, harness.Log.FlushedOffset);
        Assert.NotNull(harness.Log.Failure);
        Assert.Equal(ErrorCode.None, harness.Log.Read(Offset.Zero, 100, harness.Log.LogEndOffset).Error);
    }

    [Fact]
    public async Task A_failed_flush_fails_everyone_who_waits()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Disk.HoldFlushes = true;
        var first = FlushAfterAppend(harness);
        var second = FlushAfterAppend(harness);
        harness.Disk.HoldFlushes = false;
        harness.Disk.FailFlushes = true;
        harness.Disk.ReleaseFlushes();
        await Assert.ThrowsAsync<StorageException>(() => first);
        await Assert.ThrowsAsync<StorageException>(() => second);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 2)]
    [InlineData(5, 4)]
    [InlineData(100, 4)]
    [InlineData(long.MaxValue, 4)]
    public async Task The_policy_says_how_many_records_need_no_flush(long flushMessages, long settled)
    {
        var harness = await new LogHarness { Options = new LogOptions { FlushMessages = flushMessages } }.OpenAsync();
        harness.Append(batches: 4);
        Assert.Equal(new Offset(settled), harness.Log.SettledOffset);
        await harness.Log.SettleAsync(new Offset(4));
        Assert.Equal(new Offset(4), harness.Log.SettledOffset);
        Assert.Equal(new Offset(settled < 4 ? 4 : 0), harness.Log.FlushedOffset);
    }

    [Fact]
    public async Task Flush_ms_bounds_how_long_records_wait()
    {
        var harness = await new LogHarness
        {
            Options = new LogOptions { FlushMessages = long.MaxValue, FlushMs = 50 },
        }.OpenAsync();
        Assert.Equal(0, harness.Clock.TimerCount);
        harness.Append(batches: 2);
        harness.Clock.AdvanceMs(49);
        Assert.Equal(Offset.Zero, harness.Log.FlushedOffset);
        harness.Clock.AdvanceMs(1);
        Assert.Equal(new Offset(2), harness.Log.FlushedOffset);
        Assert.Equal(0, harness.Clock.TimerCount);
        harness.Append(batches: 1);
        harness.Clock.AdvanceMs(50);
        Assert.Equal(new Offset(3), harness.Log.FlushedOffset);
    }

    [Fact]
    public async Task Waiting_for_records_that_do_not_exist_is_misuse()
    {
        var harness = await new LogHarness().OpenAsync();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => harness.Log.FlushAsync(new Offset(1)).AsTask());
    }

    private static Task FlushAfterAppend(LogHarness harness)
    {
        harness.Append(batches: 1);
        return harness.FlushAsync();
    }
}
