using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Coordination;

/// <summary>
/// The port through which a coordinator writes to its partition, bound to one leadership: once the leader epoch that
/// it was made for has passed, every append is refused with <see cref="ErrorCode.NotLeaderOrFollower"/>.
/// Called by one turn at a time.
/// </summary>
public interface IPartitionWriter
{
    /// <summary>
    /// The most bytes of keys and values that one append may hold, leaving room for the framing of the batch.
    /// </summary>
    int MaxBatchBytes { get; }

    /// <summary>
    /// Writes the records as one batch, all or nothing, in the order of the calls. Completes when they are in the
    /// leader's log or were refused; that they are committed is told by <see cref="PartitionAppend.Committed"/>, so
    /// that appends need not wait for one another's flushes. The list is the caller's again once this has completed.
    /// </summary>
    /// <param name="records">The records; unused for the end of a transaction.</param>
    /// <param name="transaction">The transaction that the batch belongs to or ends; null for the coordinator's own.</param>
    ValueTask<PartitionAppend> AppendAsync(IReadOnlyList<CoordinatorRecord> records, TransactionWrite? transaction = null);
}

/// <summary>A batch that is written in the name of a transaction's producer.</summary>
/// <param name="ProducerId">The producer.</param>
/// <param name="ProducerEpoch">Its epoch.</param>
public sealed record TransactionWrite(long ProducerId, short ProducerEpoch)
{
    /// <summary>What its coordinator said of it; null where the transaction is open in the partition already.</summary>
    public CoordinatorsWord? Verified { get; init; }

    /// <summary>The marker with which the transaction ends; null for what comes before.</summary>
    public EndTransactionMarker? Marker { get; init; }

    /// <summary>Whether no batch of the transaction has the marker's epoch (KIP-890).</summary>
    public bool MarkerHasNewEpoch { get; init; }
}

/// <summary>A transaction's coordinator has said that the partition is part of the transaction (KIP-890).</summary>
/// <param name="AskedAt">The log end offset from before it was asked.</param>
/// <param name="CoordinatorEpoch">The leader epoch of the coordinator.</param>
public readonly record struct CoordinatorsWord(Offset AskedAt, long CoordinatorEpoch);

/// <summary>What became of one append.
/// <param name="Error"><see cref="ErrorCode.None"/>, or why nothing was written.</param>
/// <param name="LastOffset">The offset of the last record written.</param>
/// <param name="Committed">
/// Completes with <see cref="ErrorCode.None"/> when the records are committed, and with an error (or a fault) when it
/// is not known whether they ever will be. Commits complete in the order of the appends.
/// </param>
public readonly record struct PartitionAppend(ErrorCode Error, Offset LastOffset, Task<ErrorCode> Committed)
{
    /// <summary>Nothing was written.</summary>
    public static PartitionAppend Refused(ErrorCode error) => new(error, Offset.None, Task.FromResult(error));
}
