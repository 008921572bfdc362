using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public sealed class ScrubTests
{
    private static readonly int BatchBytes = TestBatches.Of(1, [1, 7, 7]).Length;

    [Fact]
    public async Task A_pass_goes_on_where_the_last_step_ended_and_begins_anew_at_the_end()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 5);

        for (var pass = 0; pass < 2; pass++)
            Assert.Equal([2 * BatchBytes, BatchBytes, 2 * BatchBytes, 0], Enumerable.Range(0, 4).Select(_ => harness.Log.Scrub(BatchBytes + 1)));
        Assert.Null(harness.Log.FirstRefusedOffset);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Changed_bytes_that_nobody_reads_are_found(bool wasReopened)
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 3 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 8);
        if (wasReopened) await harness.ReopenAsync();
        harness.ReadAll(Offset.Zero);
        harness.Disk.FlipBit(LogHarness.SegmentPath(3), BatchBytes + 66);
        Assert.Null(harness.Log.FirstRefusedOffset);

        ScrubAll(harness);

        Assert.Equal(new Offset(4), harness.Log.FirstRefusedOffset);
        Assert.Equal(ErrorCode.CorruptMessage, harness.Log.Read(new Offset(4), 1000, harness.Log.LogEndOffset).Error);
    }

    [Fact]
    public async Task What_was_cut_off_amid_a_pass_and_written_anew_is_no_damage()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 6);
        harness.Log.Scrub(3 * BatchBytes);

        await harness.Log.TruncateToAsync(new Offset(1));
        // Larger than those before: where the pass stopped no batch begins any more.
        for (var i = 0; i < 6; i++) harness.Append(TestBatches.Of(1, [1, 2, 3, 4, 5, 6, 7, 8, 9]));
        ScrubAll(harness);

        Assert.Null(harness.Log.FirstRefusedOffset);
    }

    [Fact]
    public async Task Segments_that_are_deleted_amid_a_pass_are_passed_over()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 2 * BatchBytes } }.OpenAsync();
        harness.Append(batches: 7);
        harness.Log.Scrub(1);

        await harness.Log.DeleteBeforeAsync(new Offset(4));

        Assert.Equal(3 * BatchBytes, ScrubAll(harness));
    }

    private static int ScrubAll(LogHarness harness)
    {
        var total = 0;
        while (harness.Log.Scrub(BatchBytes) is > 0 and var bytes) total += bytes;
        return total;
    }
}
