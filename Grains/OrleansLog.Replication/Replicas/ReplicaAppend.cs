using OrleansLog.Protocol;
using OrleansLog.Storage;

namespace OrleansLog.Replication.Replicas;

/// <summary>What became of an append at the leader.</summary>
/// <param name="Error">Why nothing was appended, or None.</param>
/// <param name="LeaderEpoch">The leadership that appended.</param>
/// <param name="Appended">Where it went.</param>
/// <param name="Done">
/// Completes when the append is as safe as was asked: committed (<c>acks=all</c>) or durable on the leader
/// (<c>acks=1</c>); with an error when it cannot become so here, and then whether it survives is not known.
/// </param>
public readonly record struct ReplicaAppend(ErrorCode Error, LeaderEpoch LeaderEpoch, AppendResult Appended, Task<ErrorCode> Done)
{
    public static ReplicaAppend Refused(ErrorCode error) => new(error, LeaderEpoch.None, default, Task.FromResult(error));
}

/// <summary>What a reader gets.</summary>
/// <param name="Error">Why it gets nothing, or None.</param>
/// <param name="LeaderEpoch">The leadership that answers (KIP-320).</param>
/// <param name="HighWatermark">Everything below is committed.</param>
/// <param name="Log">Where the bytes lie.</param>
public readonly record struct ReplicaRead(ErrorCode Error, LeaderEpoch LeaderEpoch, Offset HighWatermark, LogRead Log = default)
{
    /// <summary>Below it the outcome of every transaction is committed; none with an error.</summary>
    public Offset LastStableOffset { get; init; } = Offset.None;
}
