using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Partitions;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Shares;

/// <summary>
/// The share-partitions of the partitions that a broker leads (KIP-932): opened when a member first asks, over when the
/// leadership is, or when nobody asks any more. Any thread.
/// </summary>
public sealed class Sharing : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SharePartitionKey, SharedPartition> _open = [];
    private readonly PartitionTable _partitions;
    private readonly IShareStates _states;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _writes;
    private bool _isDisposed;

    public Sharing(PartitionTable partitions, IShareStates states, GroupConfigs configs, ShareLimits limits, TimeProvider time, ILogger logger)
    {
        (_partitions, _states, Configs, _time, _logger) = (partitions, states, configs, time, logger);
        Sessions = new(limits, time, Ended, EndIdle);
    }

    /// <summary>The configuration of groups.</summary>
    public GroupConfigs Configs { get; }

    /// <summary>What members fetch from this broker.</summary>
    public ShareSessions Sessions { get; }

    /// <summary>How a group is served.</summary>
    /// <exception cref="IOException">That cannot be found out.</exception>
    public async ValueTask<ShareSettings> FindSettingsAsync(string group, CancellationToken cancellationToken) =>
        GroupConfigDefinitions.Settings(await Configs.ReadAsync(group, cancellationToken));

    /// <summary>
    /// A share-partition, ready to serve. <see cref="ErrorCode.NotLeaderOrFollower"/> where this broker does not lead the
    /// partition.
    /// </summary>
    public async ValueTask<(ErrorCode Error, SharedPartition? Partition)> OpenAsync(SharePartitionKey key, ShareSettings settings)
    {
        if (_partitions.FindTopic(key.TopicId)?.Find(key.Partition) is not { IsLeader: true } partition)
            return (ErrorCode.NotLeaderOrFollower, null);
        if (!partition.KnowsHighWatermark)
            return (ErrorCode.LeaderNotAvailable, null);
        if (FindOrBegin(key, partition, settings) is not { } shared)
            return (ErrorCode.NotLeaderOrFollower, null);
        var opening = shared.State.OpenAsync();
        var error = opening.IsCompletedSuccessfully ? opening.Result : await opening;
        if (error == ErrorCode.None && shared.IsCurrent)
            return (ErrorCode.None, shared);
        Forget(shared);
        return (error is ErrorCode.None or ErrorCode.FencedLeaderEpoch or ErrorCode.FencedStateEpoch ? ErrorCode.NotLeaderOrFollower : error, null);
    }

    /// <summary>The broker leads a partition no more.</summary>
    public void SteppedDown(TopicPartition partition) => Drop(shared => shared.Partition.Id == partition);

    public void Dispose()
    {
        lock (_gate)
            _isDisposed = true;
        Drop(_ => true);
    }

    private SharedPartition? FindOrBegin(SharePartitionKey key, Partition partition, ShareSettings settings)
    {
        SharedPartition? former;
        SharedPartition? begun = null;
        lock (_gate)
        {
            if (_isDisposed)
                return null;
            if (!_open.TryGetValue(key, out former) || !former.IsCurrent || former.Partition != partition)
                _open[key] = begun = new SharedPartition(partition, available => New(key, partition, settings, available));
        }
        if (begun is null)
        {
            if (former!.State.Settings != settings)
                former.State.Settings = settings;
            return former;
        }
        former?.State.Dispose();
        return begun;
    }

    private SharePartition New(SharePartitionKey key, Partition partition, ShareSettings settings, Action available) =>
        new(key, partition.LeaderEpoch, settings, new()
        {
            Time = _time,
            States = _states,
            FindStartAsync = reset => FindStartAsync(partition, reset),
            NextWriteNumber = () => Interlocked.Increment(ref _writes),
            Available = available,
            Logger = _logger,
        });

    private async ValueTask<Offset> FindStartAsync(Partition partition, ShareOffsetReset reset)
    {
        if (reset.Kind == ShareOffsetResetKind.Earliest)
            return partition.LogStartOffset ?? throw new IOException($"Where {partition.Id} begins is not known yet.");
        if (reset.Kind == ShareOffsetResetKind.Latest)
            return partition.HighWatermark;
        var found = await partition.FindByTimestampAsync(_time.GetUtcNow().ToUnixTimeMilliseconds() - reset.AgoMs);
        return found is { } first && first.Offset < partition.HighWatermark ? first.Offset : partition.HighWatermark;
    }

    private void Ended(ShareMemberId owner, IReadOnlyList<SessionPartition> partitions, bool isLast)
    {
        foreach (var partition in partitions)
        {
            if (Find(new(owner.Group, partition.TopicId, partition.Partition)) is { } shared)
                shared.State.Release(owner.Member);
        }
        if (isLast)
            EndIdle(owner.Group);
    }

    // An administrator may have the group begin elsewhere while nobody reads: what is stored is read anew.
    private void EndIdle(string group)
    {
        foreach (var shared in All(shared => shared.State.Key.Group == group))
        {
            if (shared.State.TryEndIdle())
                Forget(shared);
        }
    }

    private SharedPartition? Find(SharePartitionKey key)
    {
        lock (_gate)
            return _open.GetValueOrDefault(key);
    }

    private List<SharedPartition> All(Func<SharedPartition, bool> which)
    {
        lock (_gate)
            return [.. _open.Values.Where(which)];
    }

    private void Forget(SharedPartition shared)
    {
        lock (_gate)
        {
            if (_open.GetValueOrDefault(shared.State.Key) == shared)
                _open.Remove(shared.State.Key);
        }
        shared.State.Dispose();
    }

    private void Drop(Func<SharedPartition, bool> which) => All(which).ForEach(Forget);
}
