using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>What remote storage holds of a partition, through its leaderships on this broker. Any thread.</summary>
internal sealed class PartitionTier(Partition partition, PartitionReplica replica, RemoteCache cache, TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;
    private TieredLog? _current;
    private TieredLog? _dropping;
    private LeaderEpoch _droppedIn = LeaderEpoch.None;
    private bool _isClaiming;

    /// <summary>The present leadership's; null where this broker follows, and for a topic that is not kept there.</summary>
    public TieredLog? Current
    {
        get
        {
            var epoch = partition.LeaderEpoch;
            if (partition.Settings.Tiering is not { } options || epoch == LeaderEpoch.None)
                return null;
            lock (_gate)
            {
                if (_current?.Epoch != epoch)
                    _current = NewLeadership(epoch);
                _current.Options = options;
                if (_current.Manifest is null && !_isClaiming)
                    _ = ClaimAsync(_current);
                return _current;
            }
        }
    }

    /// <summary>Uploads and deletes what is due. What fails is tried again by the next step.</summary>
    public async Task StepAsync(CancellationToken cancellationToken)
    {
        if (partition.Settings.DropsStored)
        {
            await DropAsync(cancellationToken);
            return;
        }
        (_dropping, _droppedIn) = (null, LeaderEpoch.None);
        if (Current is not { } tier)
            return;
        await InTurnAsync(tier, () => tier.StepAsync(cancellationToken), "kept in remote storage as it should be");
    }

    // A leadership that has found nothing left looks no more.
    private async Task DropAsync(CancellationToken cancellationToken)
    {
        var epoch = partition.LeaderEpoch;
        if (epoch == LeaderEpoch.None || _droppedIn == epoch)
            return;
        TieredLog dropping;
        lock (_gate)
        {
            if (_dropping?.Epoch != epoch)
                _dropping = NewLeadership(epoch);
            (dropping, _current) = (_dropping, null);
        }
        await InTurnAsync(dropping, async () =>
        {
            if (await dropping.DropAsync(cancellationToken))
                _droppedIn = epoch;
        }, "taken out of remote storage");
    }

    /// <summary>Makes an offset the first that can be read; false when that could not be written down.</summary>
    public async Task<bool> DeleteBeforeAsync(Offset offset)
    {
        if (Current is not { } tier)
            return true;
        return await InTurnAsync(tier, async () =>
        {
            await tier.ClaimAsync(CancellationToken.None);
            await tier.DeleteBeforeAsync(offset, CancellationToken.None);
        }, "rid of old records");
    }

    private TieredLog NewLeadership(LeaderEpoch epoch) => new(
        cache, replica.Log, RemoteTopics.PrefixOf(replica.TopicId, partition.Id), epoch, () => partition.LastStableOffset, Guid.NewGuid, time, logger)
    {
        Arrived = partition.WakeWaits,
        Lasts = () => partition.LeaderEpoch == epoch,
    };

    // Readers are waiting for it.
    private async Task ClaimAsync(TieredLog tier)
    {
        _isClaiming = true;
        try
        {
            await Task.Yield();
            await InTurnAsync(tier, () => tier.ClaimAsync(CancellationToken.None), "read from remote storage");
            if (tier.Manifest is null)
                await Task.Delay(TimeSpan.FromMilliseconds(500), time);
        }
        finally
        {
            _isClaiming = false;
        }
    }

    private async Task<bool> InTurnAsync(TieredLog tier, Func<Task> work, string what)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task previous;
        lock (_gate)
            (previous, _last) = (_last, done.Task);
        await previous;
        try
        {
            await work();
            return true;
        }
        catch (Exception failed) when (failed is IOException or InvalidDataException)
        {
            if (partition.LeaderEpoch == tier.Epoch)
                logger.LogError("{Partition} cannot be {What} at the moment: {Reason}", partition.Id, what, failed.Message);
            return false;
        }
        finally
        {
            done.SetResult();
        }
    }
}
