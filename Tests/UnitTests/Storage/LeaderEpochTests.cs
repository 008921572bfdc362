using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.UnitTests.Storage;

public class LeaderEpochTests
{
    [Theory]
    [InlineData(-1, -1, -1)]
    [InlineData(0, 0, 2)] // Older than all that is known: ends where the oldest known begins.
    [InlineData(2, 2, 5)]
    [InlineData(3, 2, 5)] // Never led here: the largest before it.
    [InlineData(4, 4, 7)]
    [InlineData(7, 7, 9)]
    [InlineData(8, -1, -1)]
    public async Task The_end_of_an_epoch_is_the_start_of_the_next(int epoch, int answered, long end)
    {
        var harness = await LogWithEpochsAsync();
        Assert.Equal(
            new EpochEndOffset(new LeaderEpoch(answered), new Offset(end)),
            harness.Log.EndOffsetFor(new LeaderEpoch(epoch)));
    }

    [Theory]
    [InlineData("clean")]
    [InlineData("kill")]
    [InlineData("lost")]
    [InlineData("damaged")]
    public async Task Epochs_survive(string what)
    {
        var harness = await LogWithEpochsAsync();
        var path = LogHarness.PathOf("leader-epoch-checkpoint");
        if (what != "kill") await harness.Log.DisposeAsync();
        if (what == "lost") harness.Disk.Delete(path);
        if (what == "damaged") harness.Disk.FlipBit(path, 12);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new LeaderEpoch(7), harness.Log.LatestEpoch);
        Assert.Equal(new Offset(5), harness.Log.EndOffsetFor(new LeaderEpoch(2)).EndOffset);
        Assert.Equal(new Offset(9), harness.Log.EndOffsetFor(new LeaderEpoch(7)).EndOffset);
    }

    [Fact]
    public async Task Truncation_forgets_the_epochs_it_cuts()
    {
        var harness = await LogWithEpochsAsync();
        await harness.Log.TruncateToAsync(new Offset(7));
        Assert.Equal(new LeaderEpoch(4), harness.Log.LatestEpoch);
        harness.Append(batches: 1, epoch: 9);
        await harness.ReopenAfterKillAsync();
        Assert.Equal(new Offset(7), harness.Log.EndOffsetFor(new LeaderEpoch(5)).EndOffset);
        Assert.Equal(EpochEndOffset.Unknown, harness.Log.EndOffsetFor(new LeaderEpoch(10)));
    }

    [Fact]
    public async Task Deletion_moves_the_start_of_the_epoch_it_cuts_into()
    {
        var harness = await LogWithEpochsAsync();
        await harness.Log.DeleteBeforeAsync(new Offset(6));
        await harness.ReopenAsync();
        Assert.Equal(new EpochEndOffset(new LeaderEpoch(2), new Offset(6)), harness.Log.EndOffsetFor(new LeaderEpoch(2)));
        Assert.Equal(new EpochEndOffset(new LeaderEpoch(4), new Offset(7)), harness.Log.EndOffsetFor(new LeaderEpoch(4)));
    }

    // Epoch 2 from offset 2, 4 from 5, 7 from 7, to the end at 9.
    private static async Task<LogHarness> LogWithEpochsAsync()
    {
        var harness = await new LogHarness().OpenAsync();
        harness.Append(batches: 2, epoch: 2);
        await harness.Log.DeleteBeforeAsync(new Offset(2));
        harness.Append(batches: 3, epoch: 2);
        harness.Append(batches: 2, epoch: 4);
        harness.Append(batches: 2, epoch: 7);
        return harness;
    }
}
