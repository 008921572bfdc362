using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

/// <summary>What shortens a log: truncation, deletion of records, retention.</summary>
public class DeletionTests
{
    private static readonly int BatchBytes = TestBatches.Of(1, [1, 7, 7]).Length;

    [Fact]
    public async Task Truncation_cuts_between_batches_at_or_before_the_offset()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(TestBatches.At(1, 2, 3));
        harness.Append(TestBatches.At(4, 5, 6));
        await harness.Log.TruncateToAsync(new Offset(4));
        Assert.Equal(new Offset(3), harness.Log.LogEndOffset);
        Assert.Equal(new Offset(3), harness.Append(TestBatches.At(7)).BaseOffset);
        Assert.Equal(new Offset(4), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Fact]
    public async Task What_was_truncated_does_not_come_back_after_a_power_failure()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var harness = new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } };
            await harness.OpenAsync();
            harness.Append(batches: 8);
            await harness.FlushAsync();
            await harness.Log.TruncateToAsync(new Offset(seed % 8));
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(seed % 8), harness.Log.LogEndOffset);
        }
    }

    [Fact]
    public async Task A_flush_under_way_does_not_vouch_for_what_comes_after_a_truncation()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 6);
        harness.Disk.HoldFlushes = true;
        var flush = harness.FlushAsync();
        var truncation = harness.Log.TruncateToAsync(new Offset(2));
        harness.Disk.HoldFlushes = false;
        harness.Disk.ReleaseFlushes();
        await truncation;
        harness.Append(batches: 6);
        await flush;
        Assert.True(harness.Log.FlushedOffset <= new Offset(2));
    }

    [Fact]
    public async Task Deleting_records_frees_whole_segments_and_is_durable()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } };
            await harness.OpenAsync();
            harness.Append(batches: 10);
            Assert.Equal(new Offset(7), await harness.Log.DeleteBeforeAsync(new Offset(7)));
            Assert.Equal(new Offset(7), await harness.Log.DeleteBeforeAsync(new Offset(5)));
            Assert.Equal(new Offset(6), harness.Log.Segments[0].BaseOffset);
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal((new Offset(7), new Offset(10)), (harness.Log.LogStartOffset, harness.Log.LogEndOffset));
            Assert.Equal(["00000000000000000006.log", "00000000000000000009.log"], harness.Files(".log"));
        }
    }

    [Fact]
    public async Task A_log_whose_records_are_all_deleted_goes_on_at_its_end()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed).OpenAsync();
            harness.Append(batches: 10);
            await harness.Log.DeleteBeforeAsync(new Offset(99));
            Assert.Empty(harness.Log.Segments);
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(10), harness.Log.LogStartOffset);
            Assert.Equal(new Offset(10), harness.Append(TestBatches.At(1)).BaseOffset);
            await harness.FlushAsync();
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(11), harness.Log.LogEndOffset);
        }
    }

    [Theory]
    [InlineData(25)]
    [InlineData(10)]
    [InlineData(2)]
    public async Task A_log_can_start_anew_anywhere(long start)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
            harness.Append(batches: 10, epoch: 7);
            await harness.Log.DeleteBeforeAsync(new Offset(4));
            await harness.Log.ResetToAsync(new Offset(start));
            Assert.Equal(LeaderEpoch.None, harness.Log.LatestEpoch);
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal((new Offset(start), new Offset(start)), (harness.Log.LogStartOffset, harness.Log.LogEndOffset));
            Assert.Empty(harness.Files(".log"));
            Assert.Equal(new Offset(start), harness.Append(TestBatches.At(1), epoch: 3).BaseOffset);
            Assert.Equal(new LeaderEpoch(3), harness.Log.EpochAt(new Offset(start)));
            await harness.FlushAsync();
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(start + 1), harness.Log.LogEndOffset);
        }
    }

    [Fact]
    public async Task A_crash_while_a_log_starts_anew_leaves_the_old_log_or_an_empty_one()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
            harness.Append(batches: 10);
            await harness.Log.DeleteBeforeAsync(new Offset(4));
            harness.Disk.HoldFlushes = true;
            var reset = harness.Log.ResetToAsync(new Offset(20));
            for (var flushes = seed % 10; flushes > 0 && !reset.IsCompleted; flushes--) harness.Disk.ReleaseFlushes();
            harness.Disk.HoldFlushes = false;
            await harness.ReopenAfterPowerFailureAsync();
            var bounds = (harness.Log.LogStartOffset.Value, harness.Log.LogEndOffset.Value);
            Assert.Contains(bounds, new[] { (4L, 10L), (4L, 4L), (20L, 20L) });
            if (bounds == (4, 10)) Assert.Equal(new Offset(10), LogHarness.NextOffset(harness.ReadAll(new Offset(4))));
            if (reset.IsCompleted) Assert.Equal((20L, 20L), bounds);
        }
    }

    /// <summary>
    /// A follower that has everything up to a place and starts anew there must never be found shorter: it is in sync.
    /// </summary>
    [Theory]
    [InlineData(7)]
    [InlineData(20)]
    public async Task A_log_that_starts_anew_further_on_is_never_found_shorter_than_it_was_up_to_there(long start)
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
            harness.Append(batches: 10);
            await harness.FlushAsync();
            harness.Disk.HoldFlushes = true;
            var reset = harness.Log.ResetToAsync(new Offset(start));
            for (var flushes = seed % 12; flushes > 0 && !reset.IsCompleted; flushes--) harness.Disk.ReleaseFlushes();
            harness.Disk.HoldFlushes = false;
            await harness.ReopenAfterPowerFailureAsync();
            Assert.InRange(harness.Log.LogEndOffset.Value, Math.Min(start, 10), Math.Max(start, 10));
            Assert.DoesNotContain(harness.Logger.Entries, entry => entry.Level == Microsoft.Extensions.Logging.LogLevel.Error);
        }
    }

    [Fact]
    public async Task An_emptied_log_keeps_no_leader_epochs()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 4, epoch: 7);
        await harness.FlushAsync();
        await harness.Log.DeleteBeforeAsync(new Offset(4));
        await harness.ReopenAfterPowerFailureAsync();
        Assert.Equal((new Offset(4), new Offset(4)), (harness.Log.LogStartOffset, harness.Log.LogEndOffset));
        Assert.Equal(LeaderEpoch.None, harness.Log.LatestEpoch);
    }

    [Fact]
    public async Task Appends_go_on_while_records_are_deleted()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 4);
        harness.Disk.HoldFlushes = true;
        var deletion = harness.Log.DeleteBeforeAsync(new Offset(4));
        harness.Append(batches: 4);
        harness.Disk.HoldFlushes = false;
        harness.Disk.ReleaseFlushes();
        Assert.Equal(new Offset(4), await deletion);
        Assert.Equal(new Offset(8), LogHarness.NextOffset(harness.ReadAll(new Offset(4))));
    }

    [Fact]
    public async Task On_a_full_disk_deletion_makes_the_room_it_needs()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 20 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 50);
        await harness.Log.CheckpointAsync();
        harness.Disk.CapacityBytes = harness.Disk.List(LogHarness.Directory).Sum(entry => entry.Length);
        await harness.Log.DeleteBeforeAsync(new Offset(45));
        Assert.Single(harness.Log.Segments);
        harness.Append(batches: 1);
    }

    [Fact]
    public async Task What_was_deleted_on_a_full_disk_is_not_missed_after_a_power_failure()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
            harness.Append(batches: 10);
            await harness.Log.CheckpointAsync();
            harness.Disk.CapacityBytes = harness.Disk.List(LogHarness.Directory).Sum(entry => entry.Length);
            harness.Disk.HoldFlushes = true;
            var deletion = harness.Log.DeleteBeforeAsync(new Offset(7));
            for (var flushes = seed % 4; flushes > 0 && !deletion.IsCompleted; flushes--) harness.Disk.ReleaseFlushes();
            harness.Disk.HoldFlushes = false;
            harness.Disk.CapacityBytes = long.MaxValue;
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Null(harness.Log.FirstRefusedOffset);
            Assert.Contains(harness.Log.LogStartOffset, deletion.IsCompleted ? [new Offset(7)] : new[] { Offset.Zero, new Offset(7) });
            Assert.Equal(new Offset(10), LogHarness.NextOffset(harness.ReadAll(harness.Log.LogStartOffset)));
            Assert.Empty(harness.Files(".start"));
            await harness.Log.ResetToAsync(new Offset(2));
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal((new Offset(2), new Offset(2)), (harness.Log.LogStartOffset, harness.Log.LogEndOffset));
        }
    }

    /// <summary>The checkpoint ends before what was deleted, so that what is left does not follow on it.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(10)]
    public async Task What_was_flushed_behind_a_deletion_on_a_full_disk_survives_a_power_failure(long start)
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
            harness.Append(batches: 1);
            await harness.Log.CheckpointAsync();
            harness.Append(batches: 9);
            await harness.FlushAsync();
            harness.Disk.CapacityBytes = harness.Disk.List(LogHarness.Directory).Sum(entry => entry.Length);
            await harness.Log.DeleteBeforeAsync(new Offset(start));
            Assert.Single(harness.Files(".start"));
            harness.Disk.CapacityBytes = long.MaxValue;
            harness.Append(batches: 4);
            await harness.FlushAsync();
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Null(harness.Log.FirstRefusedOffset);
            Assert.Equal((new Offset(start), new Offset(14)), (harness.Log.LogStartOffset, harness.Log.LogEndOffset));
            Assert.Equal(new Offset(14), LogHarness.NextOffset(harness.ReadAll(new Offset(start))));
        }
    }

    [Fact]
    public async Task Damage_in_what_was_deleted_takes_nothing_of_what_follows_with_it()
    {
        var undone = 0;
        for (var seed = 0; seed < 50; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
            harness.Append(batches: 1);
            await harness.Log.CheckpointAsync();
            harness.Append(batches: 9);
            await harness.FlushAsync();
            harness.Disk.CapacityBytes = harness.Disk.List(LogHarness.Directory).Sum(entry => entry.Length);
            await harness.Log.DeleteBeforeAsync(new Offset(7));
            harness.Disk.CapacityBytes = long.MaxValue;
            harness.Disk.Crash();
            if (harness.Files(".log").Contains($"{3:D20}.log"))
            {
                undone++;
                harness.Disk.FlipBit(LogHarness.SegmentPath(3), 2 * BatchBytes + 66);
            }

            harness.Disk.FlipBit(LogHarness.SegmentPath(6), 66);
            await harness.OpenAsync();
            Assert.Equal(new Offset(10), LogHarness.NextOffset(harness.ReadAll(new Offset(7))));
        }

        Assert.NotEqual(0, undone);
    }

    [Fact]
    public async Task Retention_by_time_and_by_size_names_the_segments_that_may_go()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = BatchBytes, RetentionMs = -1 } }.OpenAsync();
        foreach (var time in new long[] { 100, 200, 150, 300, 400 }) harness.Append(TestBatches.At(time));
        var nowMs = 1000L;
        Assert.Equal(Offset.Zero, harness.Log.RetentionOffset(nowMs));

        harness.Log.Options = harness.Log.Options with { RetentionMs = 800 };
        Assert.Equal(new Offset(1), harness.Log.RetentionOffset(nowMs));
        harness.Log.Options = harness.Log.Options with { RetentionMs = 799 };
        Assert.Equal(new Offset(3), harness.Log.RetentionOffset(nowMs));
        harness.Log.Options = harness.Log.Options with { RetentionMs = 0 };
        Assert.Equal(new Offset(4), harness.Log.RetentionOffset(nowMs));

        harness.Log.Options = harness.Log.Options with { RetentionMs = -1, RetentionBytes = 3L * BatchBytes };
        Assert.Equal(new Offset(2), harness.Log.RetentionOffset(nowMs));
        harness.Log.Options = harness.Log.Options with { RetentionBytes = 3L * BatchBytes + 1 };
        Assert.Equal(new Offset(1), harness.Log.RetentionOffset(nowMs));
    }

    [Fact]
    public async Task A_deleted_log_leaves_nothing_behind()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 3);
        harness.Log.Delete();
        Assert.Empty(harness.Files(""));
        Assert.Throws<StorageException>(() => harness.Append(batches: 1));
    }
}
