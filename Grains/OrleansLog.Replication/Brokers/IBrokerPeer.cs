using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Brokers;

/// <summary>
/// What the brokers of a cluster ask of one another. Calls may be lost, repeated and reordered; each carries what it takes
/// to be harmless then. Any thread.
/// </summary>
/// <remarks>Every method throws <see cref="IOException"/> when no answer came; whether the call took effect is unknown then.</remarks>
public interface IBrokerPeer : ICoordinatorPeer
{
    /// <summary>A leader's append to the replica of its partition on the broker.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first; this comes promptly then.</exception>
    ValueTask<AppendReply> AppendAsync(AppendRequest request, CancellationToken cancellationToken);

    /// <summary>Documents of the metadata register were changed. Done when the broker has acted on it.</summary>
    Task TellAsync(IReadOnlyList<RegisterNews> news, CancellationToken cancellationToken);

    /// <summary>Takes a partition over if the broker is its preferred leader and in sync.</summary>
    Task LeadPreferredAsync(TopicPartition partition, CancellationToken cancellationToken);

    /// <summary>Where the broker's log of a partition ends; null if it has none that can be used.</summary>
    Task<EpochEndOffset?> FindLogEndAsync(TopicPartition partition, CancellationToken cancellationToken);

    /// <summary>Takes a partition over that nobody leads, though committed records may be lost.</summary>
    Task<bool> LeadUncleanlyAsync(TopicPartition partition, CancellationToken cancellationToken);
}

/// <summary>A document of the metadata register that was changed.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Document">What was written; not necessarily the latest. Empty when it was deleted.</param>
public readonly record struct RegisterNews(string Key, ReadOnlyMemory<byte> Document);
