using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>
/// Told when the group moves partitions. Its methods run on the turn of whoever is awaiting the next record or batch,
/// never while the application has one in hand, and the rebalance waits for them.
/// </summary>
public interface IRebalanceListener
{
    /// <summary>These partitions are this member's from now on, in addition to what it keeps.</summary>
    ValueTask OnAssignedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) => default;

    /// <summary>These partitions are about to go: the last moment to commit their positions.</summary>
    ValueTask OnRevokedAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) => default;

    /// <summary>These partitions went without notice (the member was taken for dead): others may be reading them already.</summary>
    ValueTask OnLostAsync(IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken) => default;
}
