using Microsoft.Extensions.Logging;
using OrleansLog.Protocol;
using OrleansLog.Replication.Following;
using OrleansLog.Replication.Leading;
using OrleansLog.Replication.Metadata;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>What the replicas of one broker share: who it is in this life, and the world around it.</summary>
public sealed record ReplicaPorts
{
    /// <summary>The broker as it registered when it started.</summary>
    public required BrokerRecord Self { get; init; }

    public required ILogFileSystem Files { get; init; }

    public required IReplicationChannel Channel { get; init; }

    public required PartitionRegister Register { get; init; }

    public required IClusterView Cluster { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Bounds what all logs of the broker would have to recover; null for no bound.</summary>
    public RecoveryBudget? RecoveryBudget { get; init; }

    /// <summary>
    /// What the broker's partitions share for <see cref="ReplicationOptions.CatchUpBytesPerSecond"/>; null to share nothing. What
    /// goes to followers at the tail is not counted and never waits (KIP-73).
    /// </summary>
    public Throttle? CatchUp { get; init; }

    /// <summary>What a remote store has of the partitions; null without one.</summary>
    public IStoredLogs? Stored { get; init; }

    public IReplicationObserver Observer { get; init; } = NoObserver.Instance;

    /// <summary>Makes the decisions of a follower. A simulator puts faulty ones in their place, to see them found.</summary>
    public Func<ReplicaState, FollowerState> NewFollower { get; init; } =
        static state => new FollowerState(state.Epoch, state.UncleanEpoch, state.HighWatermark);

    /// <summary>Makes the decisions of a leader; as <see cref="NewFollower"/>.</summary>
    public NewLeader NewLeader { get; init; } =
        static (self, current, log, highWatermark, options, isAlive, nowMs) => new(self, current, log, highWatermark, options, isAlive, nowMs);

    private sealed class NoObserver : IReplicationObserver
    {
        public static readonly NoObserver Instance = new();
    }
}

/// <inheritdoc cref="LeaderState(BrokerId, VersionedPartition, ILogOutline, Offset, ReplicationOptions, Func{BrokerId, bool}, long)"/>
public delegate LeaderState NewLeader(
    BrokerId self,
    VersionedPartition current,
    ILogOutline log,
    Offset highWatermark,
    ReplicationOptions options,
    Func<BrokerId, bool> isAlive,
    long nowMs);
