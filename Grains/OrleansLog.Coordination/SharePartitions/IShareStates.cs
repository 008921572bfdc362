using OrleansLog.Protocol;

namespace OrleansLog.Coordination.SharePartitions;

/// <summary>
/// The port to the share coordinators, wherever they are. Each call is one attempt; a caller that hears
/// <see cref="ErrorCode.CoordinatorNotAvailable"/>, <see cref="ErrorCode.NotCoordinator"/> or
/// <see cref="ErrorCode.CoordinatorLoadInProgress"/> does not know whether it took effect, and may come again. Any thread.
/// </summary>
public interface IShareStates
{
    /// <summary>Begins the state of a share-partition, or begins it anew in a higher epoch. The same twice is done once.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="stateEpoch">The epoch of the state.</param>
    /// <param name="startOffset">Where delivery begins; -1 leaves that to the partition's leader.</param>
    /// <param name="cancellationToken">Nobody waits any more.</param>
    Task<ErrorCode> InitializeAsync(SharePartitionKey key, int stateEpoch, long startOffset, CancellationToken cancellationToken);

    /// <summary>Reads the state for a leader, and shuts out those of lower epochs.</summary>
    Task<StoredShareState> ReadAsync(SharePartitionKey key, LeaderEpoch leaderEpoch, CancellationToken cancellationToken);

    /// <summary>Changes the state. What comes after a later write of the same leadership is refused.</summary>
    Task<ErrorCode> WriteAsync(SharePartitionKey key, ShareStateWrite write, CancellationToken cancellationToken);

    /// <summary>Deletes the state. It need not be there.</summary>
    Task<ErrorCode> DeleteAsync(SharePartitionKey key, CancellationToken cancellationToken);

    /// <summary>How far a share-partition has come.</summary>
    Task<ShareStateSummary> SummarizeAsync(SharePartitionKey key, CancellationToken cancellationToken);
}

/// <summary>What is stored of a share-partition.</summary>
public sealed record StoredShareState(ErrorCode Error, int StateEpoch = 0, long StartOffset = -1, IReadOnlyList<ShareStateRange>? Ranges = null);

/// <summary>How far a share-partition has come.</summary>
public sealed record ShareStateSummary(ErrorCode Error, int StateEpoch = 0, int LeaderEpoch = -1, long StartOffset = -1, int CompleteCount = -1);

/// <summary>A change, and whose it is.</summary>
/// <param name="StateEpoch">The epoch of the state that it is a change of.</param>
/// <param name="LeaderEpoch">The leadership that makes it.</param>
/// <param name="Number">Counts the writes of this leadership, from 1 on.</param>
/// <param name="Change">What changes.</param>
public sealed record ShareStateWrite(int StateEpoch, LeaderEpoch LeaderEpoch, long Number, ShareStateChange Change);
