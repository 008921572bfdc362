using OrleansLog.Protocol;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.Running;
using OrleansLog.Storage;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Simulation.World;

/// <summary>What one process of a broker does for a topic that is kept in the remote store, while it leads the partition.</summary>
/// <param name="cluster">Where it is.</param>
/// <param name="broker">Whose process it is.</param>
/// <param name="clock">The process's clock.</param>
public sealed class SimTier(SimCluster cluster, SimBroker broker, SimClock clock) : IStoredLogs
{
    public const string Prefix = "events/0/";
    private const string CacheDirectory = "remote-cache";

    // A few parts, so that some have to be read again.
    private static readonly RemoteReadOptions Reading = new() { MemoryBytesMax = 3_000, DiskBytesMax = 3_000 };

    private readonly SimLogger _logger = new(cluster, broker);
    private RemoteCache? _cache;
    private TieredLog? _current;
    private Task _last = Task.CompletedTask;
    private bool _isStepping;

    public void Begin()
    {
        _cache = new RemoteCache(cluster.Bug?.Plant(cluster.Store.Client) ?? cluster.Store.Client, broker.Disk, CacheDirectory, Reading, clock, _logger);
        _cache.Begin();
    }

    /// <summary>The present leadership's; null where the broker follows.</summary>
    public TieredLog? Of(PartitionReplica replica)
    {
        if (!replica.IsLeader) return null;
        if (_current?.Epoch != replica.LeaderEpoch)
            _current = NewLeadership(replica, replica.LeaderEpoch);
        return _current;
    }

    private TieredLog NewLeadership(PartitionReplica replica, LeaderEpoch epoch) =>
        new(_cache!, replica.Log, Prefix, epoch, () => replica.LastStableOffset, NewId, clock, _logger)
        {
            Options = cluster.Profile.Tiering!,
            Lasts = () => replica.IsLeader && replica.LeaderEpoch == epoch,
        };

    /// <summary>Uploads and frees what is due, if that is not under way.</summary>
    public void Step()
    {
        if (_isStepping || broker.Replica is not { IsFailed: false } replica || Of(replica) is not { } tier) return;
        _ = StepAsync(replica, tier);
    }

    /// <summary>Makes an offset the first that can be read. Only what the store has been told of may go from the disk.</summary>
    public async Task DeleteBeforeAsync(PartitionReplica replica, Offset offset)
    {
        if (Of(replica) is not { } tier) return;
        var isWritten = await InTurnAsync(async () =>
        {
            await tier.ClaimAsync(CancellationToken.None);
            await tier.DeleteBeforeAsync(offset, CancellationToken.None);
        });
        if (isWritten && offset > replica.Log.LogStartOffset) await replica.DeleteBeforeAsync(offset);
    }

    Task<RemoteManifest> IStoredLogs.TakeOverAsync(Guid topicId, TopicPartition partition, LeaderEpoch epoch, CancellationToken cancellationToken) =>
        NewManifestFile().TakeOverAsync(epoch, cancellationToken);

    async Task<RemoteManifest> IStoredLogs.FindAsync(Guid topicId, TopicPartition partition, CancellationToken cancellationToken) =>
        (await NewManifestFile().ReadAsync(cancellationToken)).Manifest;

    private ManifestFile NewManifestFile() => new(_cache!.Store, Prefix, _logger);

    private async Task StepAsync(PartitionReplica replica, TieredLog tier)
    {
        _isStepping = true;
        await InTurnAsync(() => tier.StepAsync(CancellationToken.None));
        _isStepping = false;
        var keepFrom = Offset.Min(cluster.Bug?.MayFree(tier, replica) ?? tier.LocalRetentionOffset(), replica.HighWatermark);
        if (keepFrom > replica.Log.LogStartOffset && replica.IsLeader) await replica.DeleteBeforeAsync(keepFrom);
    }

    private async Task<bool> InTurnAsync(Func<Task> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var previous = _last;
        _last = done.Task;
        await previous;
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            if (cluster.KeepsTrace) cluster.Note($"store {broker.Id}: {e.Message}");
            return false;
        }
        finally
        {
            done.SetResult();
        }
    }

    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, cluster.Random.Next());
        return new Guid(bytes);
    }
}
