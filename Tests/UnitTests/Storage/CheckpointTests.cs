using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class CheckpointTests
{
    [Fact]
    public async Task Without_flushes_of_its_own_a_log_still_moves_its_checkpoint()
    {
        var harness = await new LogHarness
        {
            Options = new LogOptions { FlushMessages = long.MaxValue, CheckpointBytes = 1000 },
        }.OpenAsync();
        for (var i = 0; i < 100; i++)
        {
            harness.Append(batches: 1);
            Assert.InRange(harness.Log.UncheckpointedBytes, 0, 1000);
        }

        Assert.True(harness.Log.FlushedOffset > new Offset(80));
        await harness.ReopenAfterPowerFailureAsync();
        Assert.True(harness.Log.LogEndOffset > new Offset(80));
    }

    [Fact]
    public async Task A_checkpoint_does_not_hold_up_appends()
    {
        var harness = await new LogHarness
        {
            Options = new LogOptions { FlushMessages = long.MaxValue, CheckpointBytes = 1000 },
        }.OpenAsync();
        harness.Disk.HoldFlushes = true;
        harness.Append(batches: 100);
        Assert.Equal(1, harness.Disk.FlushCount);
        Assert.Equal(new Offset(100), harness.Log.LogEndOffset);
    }

    [Fact]
    public async Task A_checkpoint_that_finds_no_room_is_tried_again_later()
    {
        var harness = await new LogHarness { Options = new LogOptions { CheckpointBytes = 1000 } }.OpenAsync();
        harness.Append(batches: 1);
        harness.Disk.CapacityBytes = harness.Log.SizeInBytes;
        await Assert.ThrowsAsync<StorageException>(() => harness.Log.CheckpointAsync().AsTask());
        harness.Disk.CapacityBytes = long.MaxValue;
        harness.Append(batches: 1);
        await harness.Log.CheckpointAsync();
        Assert.Equal(0, harness.Log.UncheckpointedBytes);
        Assert.Null(harness.Log.Failure);
    }

    [Fact]
    public async Task All_logs_together_stay_within_their_budget()
    {
        var budget = new RecoveryBudget(bytesMax: 20_000);
        var harness = new LogHarness();
        var logs = new PartitionLog[10];
        for (var i = 0; i < logs.Length; i++)
            logs[i] = await PartitionLog.OpenAsync(
                harness.Disk, $"/data/t-{i}", new LogOptions(), harness.Clock, harness.Logger, budget);
        for (var i = 0; i < 5000; i++)
        {
            logs[i % logs.Length].Append(TestBatches.At(i), LeaderEpoch.Zero);
            Assert.InRange(budget.Bytes, 0, 21_000);
        }

        foreach (var log in logs) await log.DisposeAsync();
        Assert.Equal(0, budget.Bytes);
    }
}
