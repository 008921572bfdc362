using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class RecoveryTests
{
    private static readonly int BatchBytes = TestBatches.Of(1, [1, 7, 7]).Length;

    [Fact]
    public async Task A_torn_tail_is_cut_at_the_last_whole_batch()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        Truncate(harness, LogHarness.SegmentPath(0), 5 * BatchBytes - 1);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(4), harness.Log.LogEndOffset);
        Assert.Equal(4 * BatchBytes, harness.Disk.ReadAll(LogHarness.SegmentPath(0)).Length);
        var warning = Assert.Single(harness.Logger.Entries, entry => entry.Level == LogLevel.Warning).Message;
        Assert.Contains($"{LogHarness.SegmentPath(0)}: {BatchBytes - 1} bytes at {4 * BatchBytes}", warning, StringComparison.Ordinal);
        Assert.Equal(new Offset(4), harness.Append(TestBatches.At(1)).BaseOffset);
    }

    [Fact]
    public async Task A_flipped_bit_in_the_last_unflushed_batch_cuts_that_batch()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        harness.Disk.FlipBit(LogHarness.SegmentPath(0), 5 * BatchBytes - 2);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(4), harness.Log.LogEndOffset);
    }

    [Theory]
    [InlineData(0)] // The base offset, outside the CRC.
    [InlineData(11)] // The length.
    [InlineData(16)] // The magic.
    [InlineData(20)] // The CRC.
    [InlineData(66)] // A record.
    public async Task A_flipped_bit_before_good_batches_refuses_its_range_and_drops_nothing(int at)
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        harness.Disk.FlipBit(LogHarness.SegmentPath(0), 2 * BatchBytes + at);
        await harness.ReopenAfterKillAsync();

        Assert.Equal(new Offset(5), harness.Log.LogEndOffset);
        await AssertRefusedAsync(harness, from: 2, to: 3);
        Assert.Contains(harness.Logger.Entries, entry => entry.Level == LogLevel.Error);
        Assert.Equal(new Offset(5), harness.Append(TestBatches.At(1)).BaseOffset);
    }

    [Theory]
    [InlineData(11)] // The length: not to be taken for a file that ends too early.
    [InlineData(16)]
    [InlineData(66)]
    public async Task A_flipped_bit_at_the_end_of_a_segment_drops_no_later_segment(int at)
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 8);
        harness.Disk.FlipBit(LogHarness.SegmentPath(0), 2 * BatchBytes + at);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(8), harness.Log.LogEndOffset);
        await AssertRefusedAsync(harness, from: 2, to: 3);
    }

    [Theory]
    [InlineData(40)] // Amid a header.
    [InlineData(65)] // Amid a record.
    public async Task A_segment_that_ends_too_early_ends_the_log_there(int lengthOfLast)
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 8);
        Truncate(harness, LogHarness.SegmentPath(0), 2 * BatchBytes + lengthOfLast);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(2), harness.Log.LogEndOffset);
        Assert.Single(harness.Files(".log"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    [InlineData(66)]
    public async Task A_flipped_bit_in_flushed_bytes_is_never_the_end_of_the_log(int at)
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        await harness.ReopenAsync();
        harness.Disk.FlipBit(LogHarness.SegmentPath(0), 4 * BatchBytes + at);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(5), harness.Log.LogEndOffset);
        await AssertRefusedAsync(harness, from: 4, to: 5);
    }

    [Fact]
    public async Task A_last_batch_after_damage_is_not_believed_an_offset_beyond_the_end()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        await harness.ReopenAsync();
        // Astride the end of one batch and the offset of the next, which its CRC does not cover.
        harness.Disk.Overwrite(LogHarness.SegmentPath(0), 4 * BatchBytes - 4, [1, 2, 3, 4, 0, 0, 0, 0, 9]);
        await harness.ReopenAsync();
        await AssertRefusedAsync(harness, from: 3, to: 5);
    }

    [Fact]
    public async Task A_batch_after_damage_is_not_believed_to_be_the_one_that_is_damaged()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 1);
        harness.Append(TestBatches.At(1, 1, 1));
        harness.Disk.FlipBit(LogHarness.SegmentPath(0), BatchBytes - 1);
        // Its own offset, which its CRC does not cover.
        harness.Disk.Overwrite(LogHarness.SegmentPath(0), BatchBytes + 7, [0]);
        await harness.ReopenAfterKillAsync();
        Assert.Empty(harness.ReadAll(Offset.Zero));
    }

    [Fact]
    public async Task A_sector_that_was_never_written_ends_the_log_there()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 2);
        harness.Append(TestBatches.Of(1, [.. Enumerable.Repeat((byte)9, 3000)]));
        harness.Append(batches: 2);
        harness.Disk.Overwrite(LogHarness.SegmentPath(0), 1024, new byte[512]);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(2), harness.Log.LogEndOffset);
        Assert.Equal(new Offset(2), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Fact]
    public async Task A_sector_that_ends_behind_the_offset_of_the_last_batch_and_was_never_written_ends_the_log_there()
    {
        const int OffsetBytes = 9;
        var harness = await new LogHarness().OpenAsync();
        harness.Append(TestBatches.Of(1, [.. Enumerable.Repeat((byte)9, 3)]));
        var fill = 512 - OffsetBytes - BatchBytes;
        harness.Append(TestBatches.Of(1, new byte[fill - TestBatches.Of(1, new byte[300]).Length + 300]));
        Assert.Equal(512 - OffsetBytes, harness.Log.SizeInBytes);
        harness.Append(batches: 1);
        harness.Disk.Overwrite(LogHarness.SegmentPath(0), 512 - OffsetBytes, new byte[OffsetBytes]);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(2), harness.Log.LogEndOffset);
        Assert.Null(harness.Log.FirstRefusedOffset);
    }

    [Fact]
    public async Task Damage_in_a_sealed_segment_is_refused_and_everything_else_is_served()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 4 * BatchBytes, IndexIntervalBytes = 1 } }.OpenAsync();
        harness.Append(batches: 20);
        await harness.ReopenAsync();
        harness.Disk.FlipBit(LogHarness.SegmentPath(8), BatchBytes + 63);
        await harness.ReopenAsync();
        await AssertRefusedAsync(harness, from: 9, to: 10);
        var refused = harness.Log.Read(new Offset(9), 100, harness.Log.LogEndOffset).Refused!;
        Assert.Equal((LogHarness.SegmentPath(8), (long)BatchBytes), (refused.File, refused.Position));
        Assert.Contains("CRC", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_clean_stop_nothing_is_read()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 10_000, IndexIntervalBytes = 100 } }.OpenAsync();
        harness.Append(batches: 1000);
        await harness.Log.DisposeAsync();
        var before = harness.Disk.BytesRead;
        var flushes = harness.Disk.FlushCount;
        await harness.OpenAsync();
        Assert.InRange(harness.Disk.BytesRead - before, 1, 300); // The two checkpoint files.
        Assert.Equal(flushes, harness.Disk.FlushCount);
        Assert.Equal(new Offset(1000), harness.Log.LogEndOffset);
        Assert.Equal(new Offset(1000), harness.Log.FlushedOffset);
    }

    [Fact]
    public async Task After_a_kill_only_what_came_since_the_checkpoint_is_read()
    {
        var harness = await new LogHarness { Options = new LogOptions { CheckpointBytes = 10 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 1005);
        var before = harness.Disk.BytesRead;
        await harness.ReopenAfterKillAsync();
        Assert.InRange(harness.Disk.BytesRead - before, 5 * BatchBytes, 2 * 12 * BatchBytes); // Once to check it, once to write it anew.
        Assert.Equal(new Offset(1005), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Theory]
    [InlineData(".index")]
    [InlineData(".timeindex")]
    public async Task A_lost_index_is_built_anew(string suffix)
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 50 * BatchBytes, IndexIntervalBytes = 200 } }.OpenAsync();
        harness.Append(batches: 120);
        await harness.Log.DisposeAsync();
        var before = harness.Files(suffix).Select(name => harness.Disk.ReadAll(LogHarness.PathOf(name))).ToArray();
        foreach (var name in harness.Files(suffix)) harness.Disk.Delete(LogHarness.PathOf(name));
        await harness.ReopenAsync();
        await harness.Log.DisposeAsync();
        Assert.Equal(3, before.Length);
        Assert.Equal(before, harness.Files(suffix).Select(name => harness.Disk.ReadAll(LogHarness.PathOf(name))));
    }

    [Fact]
    public async Task An_index_that_points_astray_costs_time_and_nothing_else()
    {
        var harness = await new LogHarness { Options = new LogOptions { IndexIntervalBytes = 200 } }.OpenAsync();
        harness.Append(batches: 100);
        await harness.ReopenAsync();
        var path = LogHarness.PathOf("00000000000000000000.index");
        for (var entry = 0; entry < 10; entry++) harness.Disk.FlipBit(path, entry * 8 + 7);
        var read = harness.Log.Read(new Offset(60), 10 * BatchBytes, harness.Log.LogEndOffset);
        Assert.Equal(new Offset(70), LogHarness.NextOffset(LogHarness.Bytes(read)));
        Assert.Equal(new Offset(100), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Fact]
    public async Task Without_its_checkpoint_a_log_is_read_whole()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 10 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 35);
        await harness.Log.DisposeAsync();
        harness.Disk.FlipBit(LogHarness.PathOf("recovery-checkpoint"), 30);
        await harness.OpenAsync();
        Assert.Contains(harness.Logger.Entries, entry => entry.Message.Contains("recovery-checkpoint is damaged", StringComparison.Ordinal));
        Assert.Equal(new Offset(35), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    [Fact]
    public async Task Flushed_bytes_that_are_gone_are_refused_and_their_offsets_not_given_again()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        await harness.Log.DisposeAsync();
        Truncate(harness, LogHarness.SegmentPath(0), 3 * BatchBytes);
        await harness.OpenAsync();
        Assert.Equal((new Offset(5), new Offset(3)), (harness.Log.LogEndOffset, harness.Log.FirstRefusedOffset));
        Assert.Equal(new Offset(5), harness.Append(TestBatches.At(1)).BaseOffset);
        Assert.Equal(new Offset(3), harness.Log.FirstRefusedOffset);
        await AssertRefusedAsync(harness, from: 3, to: 5);
        Assert.Contains(harness.Logger.Entries, entry => entry.Level == LogLevel.Error);
    }

    [Fact]
    public async Task A_whole_segment_that_is_gone_is_refused()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 2 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 6);
        await harness.Log.DisposeAsync();
        harness.Disk.Delete(LogHarness.SegmentPath(2));
        await harness.OpenAsync();
        await AssertRefusedAsync(harness, from: 2, to: 4);
        Assert.Equal(new Offset(2), harness.Log.CheckAll());
        Assert.Equal(new Offset(2), harness.Log.EndIfCutAt(new Offset(3)));
        await harness.Log.DisposeAsync();
        harness.Disk.Delete(LogHarness.SegmentPath(0));
        await harness.OpenAsync();
        Assert.Equal(ErrorCode.CorruptMessage, harness.Log.Read(Offset.Zero, 100, harness.Log.LogEndOffset).Error);
    }

    [Fact]
    public async Task Once_a_read_has_missed_a_segment_the_log_is_cut_before_it()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 2 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 6);
        await harness.Log.DisposeAsync();
        harness.Disk.Delete(LogHarness.SegmentPath(2));
        await harness.OpenAsync();
        Assert.Equal(ErrorCode.CorruptMessage, harness.Log.Read(new Offset(3), 100, new Offset(6)).Error);
        Assert.Equal(new Offset(2), harness.Log.FirstRefusedOffset);
        await harness.Log.TruncateToAsync(new Offset(2));
        Assert.Equal((new Offset(2), null), (harness.Log.LogEndOffset, harness.Log.FirstRefusedOffset));
        harness.Append(batches: 4);
        await harness.ReopenAsync();
        Assert.Equal(new Offset(6), LogHarness.NextOffset(harness.ReadAll(Offset.Zero)));
    }

    /// <summary>Also after a second start, when nothing shows it any more but the checkpoint.</summary>
    [Fact]
    public async Task A_log_that_lost_all_its_segments_is_known_to_lack_them()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        await harness.Log.DisposeAsync();
        harness.Disk.Delete(LogHarness.SegmentPath(0));
        await harness.OpenAsync();
        await harness.ReopenAsync();
        Assert.Equal((new Offset(5), Offset.Zero), (harness.Log.LogEndOffset, harness.Log.FirstRefusedOffset));
        await harness.Log.DeleteBeforeAsync(new Offset(5));
        Assert.Null(harness.Log.FirstRefusedOffset);
    }

    [Fact]
    public async Task It_can_be_told_where_a_cut_would_end_before_it_is_made()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 5);
        Assert.Equal((new Offset(3), new Offset(5)), (harness.Log.EndIfCutAt(new Offset(3)), harness.Log.EndIfCutAt(new Offset(9))));
        await harness.Log.DisposeAsync();
        foreach (var damaged in (int[])[2, 3]) harness.Disk.FlipBit(LogHarness.SegmentPath(0), (damaged + 1) * BatchBytes - 5);
        await harness.OpenAsync();
        Assert.Equal(new Offset(2), harness.Log.EndIfCutAt(new Offset(3)));
        Assert.Equal(new Offset(5), harness.Log.LogEndOffset);
    }

    [Fact]
    public async Task A_later_format_is_refused()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 1);
        await harness.Log.DisposeAsync();
        var path = LogHarness.PathOf("recovery-checkpoint");
        var text = System.Text.Encoding.UTF8.GetString(harness.Disk.ReadAll(path)).Replace("version 1", "version 2", StringComparison.Ordinal);
        var content = text[..text.IndexOf("crc32c", StringComparison.Ordinal)];
        text = $"{content}crc32c {Crc32C.Compute(System.Text.Encoding.UTF8.GetBytes(content)):x8}\n";
        harness.Disk.Overwrite(path, 0, System.Text.Encoding.UTF8.GetBytes(text));
        var error = await Assert.ThrowsAsync<StorageException>(harness.OpenAsync);
        Assert.Contains("version 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_recovery_kept_is_durable_before_it_is_served()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var harness = await new LogHarness(seed).OpenAsync();
            harness.Append(batches: 10);
            await harness.ReopenAfterKillAsync();
            Assert.Equal(new Offset(10), harness.Log.FlushedOffset);
            await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(10), harness.Log.LogEndOffset);
        }
    }

    /// <summary>Reads from every offset: those in the range are refused, the others served; also after another restart.</summary>
    private static async Task AssertRefusedAsync(LogHarness harness, long from, long to)
    {
        for (var round = 0; round < 2; round++)
        {
            var end = harness.Log.LogEndOffset;
            for (var offset = 0L; offset < end.Value; offset++)
            {
                var read = harness.Log.Read(new Offset(offset), 100_000, end);
                Assert.Equal(offset >= from && offset < to ? ErrorCode.CorruptMessage : ErrorCode.None, read.Error);
                if (read.Error != ErrorCode.None) Assert.Equal(new Offset(to), read.Refused!.To);
                else Assert.True(LogHarness.NextOffset(LogHarness.Bytes(read)).Value <= (offset < from ? from : end.Value));
            }

            await harness.ReopenAsync();
        }
    }

    private static void Truncate(LogHarness harness, string path, int length) =>
        harness.Disk.Open(path, create: false).Truncate(length);
}
