using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Following;

/// <summary>What a follower does about an append: in this order, it cuts its log or drops it, then appends, then answers.</summary>
/// <param name="Code">The answer.</param>
/// <param name="TruncateTo">Where the log is to end first; null to leave it.</param>
/// <param name="Skip">Bytes at the start of the request that the log holds already.</param>
/// <param name="Matched">Up to where the logs agree once that is done.</param>
/// <param name="Hint">On a mismatch: the follower's latest epoch not above the leader's at that point, and its end.</param>
/// <param name="RestartAt">Where the log is to start anew, without anything that it holds; null to keep it.</param>
public readonly record struct FollowerDecision(
    AppendCode Code, Offset? TruncateTo = null, int Skip = 0, Offset Matched = default, EpochEndOffset Hint = default,
    Offset? RestartAt = null);
