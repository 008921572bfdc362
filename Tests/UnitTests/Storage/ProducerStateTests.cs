using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

/// <summary>What a log knows of idempotent producers: what it refuses, and that it goes on knowing it, whatever happens.</summary>
public sealed class ProducerStateTests
{
    private const ErrorCode Ok = ErrorCode.None;
    private const ErrorCode Gap = ErrorCode.OutOfOrderSequenceNumber;
    private const ErrorCode Fenced = ErrorCode.InvalidProducerEpoch;

    private static byte[] Batch(int sequence, int records = 1, long id = 7, short epoch = 0)
    {
        using var builder = new RecordBatchBuilder(1 << 20) { ProducerId = id, ProducerEpoch = epoch, BaseSequence = sequence };
        for (var i = 0; i < records; i++) builder.TryAppend(1000, [], keyIsNull: true, new byte[20], false, []);
        return builder.Build().ToArray();
    }

    [Fact]
    public async Task A_batch_is_appended_only_if_it_follows_on_the_last()
    {
        var harness = await new LogHarness().OpenAsync();
        Assert.Equal(Ok, harness.Append(Batch(0, records: 3)).Error);
        Assert.Equal(Gap, harness.Append(Batch(4)).Error);
        Assert.Equal(Gap, harness.Append(Batch(2)).Error);
        Assert.Equal(Ok, harness.Append(Batch(3)).Error);
        Assert.Equal(Ok, harness.Append(Batch(0, id: 8)).Error);
        Assert.Equal(new Offset(5), harness.Log.LogEndOffset);
        Assert.Equal(2, harness.Log.ProducerCount);
    }

    [Fact]
    public async Task Any_of_the_last_five_batches_is_known_again_and_told_where_it_lies()
    {
        var harness = await new LogHarness().OpenAsync();
        for (var i = 0; i < 7; i++) harness.Append(Batch(2 * i, records: 2));
        for (var i = 2; i < 7; i++)
        {
            var again = harness.Append(Batch(2 * i, records: 2));
            Assert.Equal((Ok, true, new Offset(2 * i), new Offset(2 * i + 2)), (again.Error, again.IsDuplicate, again.BaseOffset, again.NextOffset));
        }

        Assert.Equal(Gap, harness.Append(Batch(2, records: 2)).Error);
        Assert.Equal(Gap, harness.Append(Batch(12, records: 1)).Error);
        Assert.Equal(new Offset(14), harness.Log.LogEndOffset);
    }

    [Fact]
    public async Task A_later_epoch_begins_at_0_and_ends_the_earlier_one()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(Batch(0));
        Assert.Equal(Gap, harness.Append(Batch(1, epoch: 1)).Error);
        Assert.Equal(Ok, harness.Append(Batch(0, epoch: 1)).Error);
        Assert.Equal(Fenced, harness.Append(Batch(1)).Error);
        Assert.Equal(Fenced, harness.Append(Batch(0, id: 9, epoch: -1)).Error);
    }

    [Fact]
    public async Task Numbers_begin_again_at_0_after_the_highest()
    {
        var harness = await new LogHarness().OpenAsync();
        Assert.Equal(Ok, harness.Append(Batch(int.MaxValue - 1, records: 4)).Error);
        Assert.True(harness.Append(Batch(int.MaxValue - 1, records: 4)).IsDuplicate);
        Assert.Equal(Ok, harness.Append(Batch(2)).Error);
    }

    [Fact]
    public async Task A_numbered_batch_comes_alone()
    {
        var harness = await new LogHarness().OpenAsync();
        Assert.Equal(ErrorCode.InvalidRecord, harness.Append([.. TestBatches.At(1), .. Batch(0)]).Error);
        Assert.Equal(Offset.Zero, harness.Log.LogEndOffset);
    }

    [Fact]
    public async Task Who_was_silent_for_long_is_forgotten()
    {
        var harness = await new LogHarness { Options = new LogOptions { ProducerIdExpirationMs = 1000 } }.OpenAsync();
        harness.Append(Batch(0));
        harness.Clock.AdvanceMs(600);
        harness.Append(Batch(0, id: 8));
        harness.Clock.AdvanceMs(600);
        Assert.Equal(Ok, harness.Append(Batch(55)).Error);
        Assert.Equal(Gap, harness.Append(Batch(55, id: 8)).Error);
    }

    [Fact]
    public async Task A_power_failure_at_any_point_leaves_the_producers_of_what_is_left()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var harness = await new LogHarness(seed) { Options = new LogOptions { FlushMessages = long.MaxValue, CheckpointBytes = 700, SegmentBytes = 2500 } }.OpenAsync();
            for (var i = 0; i < 30 + seed; i++)
            {
                harness.Append(Batch(i));
                if (i % 3 == 0) harness.Append(TestBatches.At(i));
            }

            await harness.ReopenAfterPowerFailureAsync();
            var next = NextSequence(harness);
            if (next > 0) Assert.True(harness.Append(Batch(next - 1)).IsDuplicate, $"seed {seed}");
            Assert.Equal(next > 0 ? Gap : Ok, harness.Append(Batch(next + 1)).Error);
            Assert.Equal(next > 0 ? Ok : Gap, harness.Append(Batch(next)).Error);
        }
    }

    [Fact]
    public async Task A_clean_start_takes_the_snapshot_and_reads_nothing()
    {
        var harness = await new LogHarness().OpenAsync();
        for (var i = 0; i < 6; i++) harness.Append(Batch(i));
        await harness.ReopenAsync();
        Assert.Equal(["00000000000000000006.snapshot"], harness.Files(".snapshot"));
        Assert.Equal(new Offset(3), harness.Append(Batch(3)).BaseOffset);
        Assert.Equal(Gap, harness.Append(Batch(7)).Error);
    }

    [Fact]
    public async Task A_damaged_snapshot_costs_reading_the_log()
    {
        var harness = await new LogHarness().OpenAsync();
        for (var i = 0; i < 3; i++) harness.Append(Batch(i));
        await harness.Log.DisposeAsync();
        using (var file = harness.Disk.Open(LogHarness.PathOf(harness.Files(".snapshot")[0]), create: false)) file.Write(20, "damage"u8);
        await harness.OpenAsync();
        Assert.True(harness.Append(Batch(1)).IsDuplicate);
        Assert.Equal(Ok, harness.Append(Batch(3)).Error);
    }

    [Fact]
    public async Task Cutting_the_log_back_takes_the_producers_back()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 1000 } }.OpenAsync();
        for (var i = 0; i < 60; i++)
        {
            harness.Append(Batch(i));
            if (i % 7 == 0) await harness.Log.CheckpointAsync();
        }

        foreach (var end in (int[])[58, 50, 33, 8, 1])
        {
            await harness.Log.TruncateToAsync(new Offset(end));
            Assert.True(harness.Append(Batch(end - 1)).IsDuplicate);
            Assert.Equal(Gap, harness.Append(Batch(end + 1)).Error);
            if (end == 33) await harness.ReopenAfterPowerFailureAsync();
            Assert.Equal(new Offset(end), harness.Append(Batch(end)).BaseOffset);
        }

        await harness.ReopenAsync();
        Assert.Equal(Ok, harness.Append(Batch(2)).Error);
    }

    [Fact]
    public async Task A_log_that_starts_anew_knows_nobody_and_keeps_no_snapshot()
    {
        var harness = await new LogHarness().OpenAsync();
        for (var i = 0; i < 5; i++) harness.Append(Batch(i));
        await harness.Log.CheckpointAsync();
        await harness.Log.ResetToAsync(new Offset(100));
        Assert.Empty(harness.Files(".snapshot"));
        Assert.Equal(Ok, harness.Append(Batch(40)).Error);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(Ok, harness.Append(Batch(41)).Error);
    }

    [Fact]
    public async Task Producers_outlive_their_records()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 300 } }.OpenAsync();
        for (var i = 0; i < 10; i++) harness.Append(Batch(i));
        await harness.Log.DeleteBeforeAsync(harness.Log.LogEndOffset);
        await harness.ReopenAsync();
        Assert.Equal(Gap, harness.Append(Batch(11)).Error);
        Assert.Equal(Ok, harness.Append(Batch(10)).Error);
    }

    [Fact]
    public async Task A_follower_knows_what_its_leader_knows()
    {
        var leader = await new LogHarness().OpenAsync();
        for (var i = 0; i < 4; i++) leader.Append(Batch(i));
        var follower = await new LogHarness().OpenAsync();
        follower.Log.AppendAsFollower(leader.ReadAll(Offset.Zero));
        Assert.Equal(new Offset(2), follower.Append(Batch(2), epoch: 1).BaseOffset);
        Assert.Equal(Gap, follower.Append(Batch(5), epoch: 1).Error);
    }

    [Fact]
    public async Task Few_snapshots_are_kept()
    {
        var harness = await new LogHarness { Options = new LogOptions { SegmentBytes = 2000 } }.OpenAsync();
        for (var i = 0; i < 200; i++)
        {
            harness.Append(Batch(i));
            await harness.Log.CheckpointAsync();
            Assert.InRange(harness.Files(".snapshot").Length, 1, harness.Log.Segments.Count + 2);
        }
    }

    [Fact]
    public async Task The_producer_that_was_silent_for_longest_goes_when_there_are_too_many()
    {
        var harness = await new LogHarness().OpenAsync();
        using var all = new MemoryStream();
        for (var id = 0; id < 32_770; id++)
        {
            var batch = Batch(0, id: id);
            RecordBatch.AssignOffset(batch, new Offset(id), LeaderEpoch.Zero);
            all.Write(batch);
        }

        harness.Log.AppendAsFollower(all.ToArray());
        Assert.Equal(32_768, harness.Log.ProducerCount);
        Assert.Equal(Gap, harness.Append(Batch(9, id: 32_769)).Error);
        Assert.Equal(Ok, harness.Append(Batch(9, id: 0)).Error);
    }

    // What the log itself says comes next.
    private static int NextSequence(LogHarness harness)
    {
        var next = 0;
        if (harness.Log.LogEndOffset == Offset.Zero) return next;
        foreach (var batch in new RecordBatchEnumerator(harness.ReadAll(Offset.Zero)))
            if (batch.Header.ProducerId >= 0) next = batch.Header.BaseSequence + 1;
        return next;
    }
}
