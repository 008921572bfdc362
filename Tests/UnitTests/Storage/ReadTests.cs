using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class ReadTests
{
    [Fact]
    public async Task A_read_begins_with_the_batch_that_holds_the_offset()
    {
        var harness = await new LogHarness().OpenAsync();
        var batch = TestBatches.At(1, 2, 3);
        harness.Append(batch);
        harness.Append(batches: 1);
        var read = harness.Log.Read(new Offset(2), batch.Length, harness.Log.LogEndOffset);
        Assert.Equal(batch, LogHarness.Bytes(read));
        Assert.Equal(0, read.Slice.Position);
    }

    [Fact]
    public async Task No_batch_that_reaches_past_the_limit_is_read()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 3);
        harness.Append(TestBatches.At(1, 2, 3));
        Assert.Equal(new Offset(3), LogHarness.NextOffset(LogHarness.Bytes(harness.Log.Read(Offset.Zero, 10_000, new Offset(5)))));
        Assert.True(harness.Log.Read(new Offset(3), 10_000, new Offset(5)).Slice.IsEmpty);
        Assert.True(harness.Log.Read(new Offset(3), 10_000, new Offset(3)).Slice.IsEmpty);
        Assert.Equal(new Offset(6), LogHarness.NextOffset(LogHarness.Bytes(harness.Log.Read(Offset.Zero, 10_000, new Offset(99)))));
    }

    [Fact]
    public async Task The_first_batch_comes_whole_only_if_asked_for()
    {
        var harness = await new LogHarness().OpenAsync();
        var large = TestBatches.Of(1, new byte[5000]);
        harness.Append(large);
        harness.Append(batches: 1);
        var end = harness.Log.LogEndOffset;
        Assert.Equal(large.Length, harness.Log.Read(Offset.Zero, 1, end, minOneBatch: true).Slice.Length);
        Assert.True(harness.Log.Read(Offset.Zero, large.Length - 1, end, minOneBatch: false).Slice.IsEmpty);
        Assert.Equal(large.Length, harness.Log.Read(Offset.Zero, large.Length, end, minOneBatch: false).Slice.Length);
    }

    [Fact]
    public async Task Offsets_outside_the_log_are_out_of_range()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        await harness.Log.DeleteBeforeAsync(new Offset(2));
        var end = harness.Log.LogEndOffset;
        Assert.Equal(ErrorCode.OffsetOutOfRange, harness.Log.Read(new Offset(1), 100, end).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, harness.Log.Read(new Offset(6), 100, end).Error);
        Assert.Equal(ErrorCode.None, harness.Log.Read(new Offset(5), 100, end).Error);
        Assert.Equal(ErrorCode.None, harness.Log.Read(new Offset(2), 100, end).Error);
    }

    [Fact]
    public async Task A_read_ends_with_its_segment_and_the_next_one_goes_on()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 200, IndexIntervalBytes = 50 } }.OpenAsync();
        harness.Append(batches: 20);
        var first = harness.Log.Read(Offset.Zero, 100_000, harness.Log.LogEndOffset);
        Assert.Equal(harness.Log.Segments[1].BaseOffset, LogHarness.NextOffset(LogHarness.Bytes(first)));
        Assert.Equal(new Offset(20), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Fact]
    public async Task What_was_found_stays_readable_while_its_segment_is_deleted()
    {
        var harness = await new LogHarness
        {
            Options = new LogOptions { SegmentBytes = 200, FileDeleteDelayMs = 1000 },
        }.OpenAsync();
        harness.Append(batches: 10);
        var read = harness.Log.Read(Offset.Zero, 1000, harness.Log.LogEndOffset);
        var before = LogHarness.Bytes(read);

        await harness.Log.DeleteBeforeAsync(new Offset(9));
        Assert.False(harness.Disk.Exists(LogHarness.SegmentPath(0)));
        Assert.Equal(before, LogHarness.Bytes(read));

        harness.Clock.AdvanceMs(1000);
        Assert.Throws<ObjectDisposedException>(() => LogHarness.Bytes(read));
        Assert.Equal(0, harness.Clock.TimerCount);
    }

    [Fact]
    public async Task A_disk_that_cannot_be_read_is_an_error_not_an_end()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        harness.Disk.FailReads = true;
        var read = harness.Log.Read(Offset.Zero, 100, harness.Log.LogEndOffset);
        Assert.Equal(ErrorCode.KafkaStorageError, read.Error);
        Assert.Contains("cannot be read", read.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_allocate_nothing()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 500);
        var end = harness.Log.LogEndOffset;
        harness.Log.Read(new Offset(250), 1000, end);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) harness.Log.Read(new Offset(i * 3), 1000, end);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task Readers_and_the_writer_need_not_wait_for_each_other()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 20_000, IndexIntervalBytes = 300 } }.OpenAsync();
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(seed => Task.Run(() => ReadUntil(harness, seed, stop.Token))).ToArray();
        for (var i = 0; i < 2000; i++) harness.Append(batches: 1);
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(readers), Assert.True);
    }

    private static bool ReadUntil(LogHarness harness, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        do
        {
            var end = harness.Log.LogEndOffset;
            if (end == Offset.Zero) continue;
            var read = harness.Log.Read(new Offset(random.NextInt64(end.Value)), random.Next(1, 3000), end);
            Assert.Equal(ErrorCode.None, read.Error);
            Assert.True(LogHarness.NextOffset(LogHarness.Bytes(read)) <= end);
        }
        while (!stop.IsCancellationRequested);
        return true;
    }
}
