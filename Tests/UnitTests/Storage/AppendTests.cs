using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class AppendTests
{
    [Fact]
    public async Task A_log_without_records_holds_no_files()
    {
        var harness = await new LogHarness().OpenAsync();
        Assert.Equal(Offset.Zero, harness.Log.LogEndOffset);
        await harness.ReopenAsync();
        Assert.Empty(harness.Files(""));
    }

    [Fact]
    public async Task Offsets_and_epoch_are_written_into_the_callers_batches()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 3);
        byte[] batches = [.. TestBatches.At(1, 2, 3), .. TestBatches.At(4)];
        var result = harness.Append(batches, epoch: 7);
        Assert.Equal((new Offset(3), new Offset(6), new Offset(7)), (result.BaseOffset, result.LastOffset, result.NextOffset));
        RecordBatchHeader.TryRead(batches, out var first);
        RecordBatchHeader.TryRead(batches.AsSpan(first.SizeInBytes), out var second);
        Assert.Equal((new Offset(3), new Offset(6)), (first.BaseOffset, second.BaseOffset));
        Assert.Equal(new LeaderEpoch(7), second.PartitionLeaderEpoch);
        Assert.Equal(batches, harness.ReadAll(new Offset(3), maxBytes: 10_000));
    }

    [Fact]
    public async Task A_segment_is_rolled_before_it_outgrows_its_bytes()
    {
        var batch = TestBatches.At(1);
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * batch.Length } }.OpenAsync();
        harness.Append(batches: 7);
        Assert.Equal([0L, 3L, 6L], harness.Log.Segments.Select(segment => segment.BaseOffset.Value));
        Assert.Equal([true, true, false], harness.Log.Segments.Select(segment => segment.IsSealed));
        Assert.Equal(7 * batch.Length, harness.Log.SizeInBytes);
        Assert.Equal(
            ["00000000000000000000.log", "00000000000000000003.log", "00000000000000000006.log"], harness.Files(".log"));
    }

    [Fact]
    public async Task A_segment_is_rolled_when_it_is_old()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentMs = 1000 } }.OpenAsync();
        harness.Append(batches: 1);
        harness.Clock.AdvanceMs(999);
        harness.Append(batches: 1);
        Assert.Single(harness.Log.Segments);
        harness.Clock.AdvanceMs(1);
        harness.Append(batches: 1);
        Assert.Equal([0L, 2L], harness.Log.Segments.Select(segment => segment.BaseOffset.Value));
    }

    [Fact]
    public async Task An_append_larger_than_a_segment_gets_one_of_its_own()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 200 } }.OpenAsync();
        harness.Append(batches: 1);
        harness.Append(TestBatches.Of(1, new byte[5000]));
        harness.Append(batches: 1);
        Assert.Equal([0L, 1L, 2L], harness.Log.Segments.Select(segment => segment.BaseOffset.Value));
    }

    [Fact]
    public async Task A_full_disk_refuses_appends_until_there_is_room_and_loses_nothing()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 2);
        var before = harness.ReadAll(Offset.Zero);
        harness.Disk.CapacityBytes = harness.Log.SizeInBytes + 300;

        var error = Assert.Throws<StorageException>(() => harness.Append(TestBatches.Of(1, new byte[500])));
        Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.KafkaStorageError, error.Error);
        Assert.Equal(new Offset(2), harness.Log.LogEndOffset);
        Assert.Equal(before, harness.ReadAll(Offset.Zero));

        harness.Disk.CapacityBytes = long.MaxValue;
        Assert.Equal(new Offset(2), harness.Append(TestBatches.At(5)).BaseOffset);
        Assert.Equal(harness.Log.SizeInBytes, harness.Disk.ReadAll(LogHarness.SegmentPath(0)).Length);
        await harness.FlushAsync();
        await harness.ReopenAfterPowerFailureAsync();
        Assert.Equal(new Offset(3), harness.Log.LogEndOffset);
    }

    [Fact]
    public async Task What_a_failed_append_left_behind_does_not_come_back_in_the_place_of_what_followed()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed).OpenAsync();
            harness.Append(batches: 1);
            await harness.FlushAsync();
            harness.Disk.HoldFlushes = true;
            byte[] first = TestBatches.At(11), second = TestBatches.At(12);
            harness.Disk.CapacityBytes = harness.Disk.UsedBytes + first.Length;
            Assert.Throws<StorageException>(() => harness.Append([.. first, .. second]));

            harness.Disk.CapacityBytes = long.MaxValue;
            Assert.Contains("try again", Assert.Throws<StorageException>(() => harness.Append(TestBatches.At(13))).Message, StringComparison.Ordinal);
            harness.Disk.HoldFlushes = false;
            harness.Disk.ReleaseFlushes();
            harness.Append(TestBatches.At(14));
            var appended = harness.ReadAll(Offset.Zero);
            await harness.ReopenAfterPowerFailureAsync();
            Assert.True(appended.AsSpan().StartsWith(harness.ReadAll(Offset.Zero)), $"seed {seed}: other records than those that were appended");
        }
    }

    [Fact]
    public async Task When_what_a_failed_append_left_behind_cannot_be_cut_off_the_log_takes_nothing_more()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 1);
        await harness.FlushAsync();
        harness.Disk.CapacityBytes = harness.Disk.UsedBytes + 1;
        harness.Disk.FailFlushes = true;
        Assert.Throws<StorageException>(() => harness.Append(batches: 1));
        harness.Disk.CapacityBytes = long.MaxValue;
        harness.Disk.FailFlushes = false;
        Assert.Throws<StorageException>(() => harness.Append(batches: 1));
        Assert.NotNull(harness.Log.Failure);
    }

    [Fact]
    public async Task A_full_disk_that_stops_a_roll_stops_nothing_else()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 100, IndexIntervalBytes = 10 } }.OpenAsync();
        harness.Append(batches: 1);
        harness.Disk.CapacityBytes = harness.Log.SizeInBytes;
        Assert.Throws<StorageException>(() => harness.Append(batches: 1));
        harness.Disk.CapacityBytes = long.MaxValue;
        harness.Append(batches: 2);
        Assert.Equal(new Offset(3), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(-1)]
    public async Task What_is_no_whole_batch_is_misuse(int length)
    {
        var harness = await new LogHarness().OpenAsync();
        var batch = TestBatches.At(1);
        var bytes = length < 0 ? batch[..^1] : batch[..length];
        Assert.Throws<ArgumentException>(() => harness.Append(bytes));
        Assert.Equal(Offset.Zero, harness.Log.LogEndOffset);
    }
}
