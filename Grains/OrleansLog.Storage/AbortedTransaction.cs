using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>A transaction that was aborted: its producer's records from its first on, up to its marker, do not count.</summary>
/// <param name="ProducerId">Whose it was.</param>
/// <param name="First">Where its first record lies.</param>
/// <param name="Marker">Where its marker lies.</param>
/// <param name="LastStableOffset">What was the last stable offset of the whole log after it ended.</param>
public readonly record struct AbortedTransaction(long ProducerId, Offset First, Offset Marker, Offset LastStableOffset);

/// <summary>What a log knows of one producer (KIP-664).</summary>
/// <param name="ProducerId">Who it is.</param>
/// <param name="Epoch">Its latest epoch.</param>
/// <param name="LastSequence">The sequence number of its last record in that epoch; -1 when there is none.</param>
/// <param name="LastTimestampMs">The latest timestamp of its last batch, in milliseconds since 1970; -1 when that is not known.</param>
/// <param name="CoordinatorEpoch">The epoch of the coordinator that ended its last transaction; -1 before that.</param>
/// <param name="TransactionStart">Where its open transaction begins; none when there is none.</param>
public readonly record struct ProducerDescription(
    long ProducerId, short Epoch, int LastSequence, long LastTimestampMs, int CoordinatorEpoch, Offset TransactionStart);

/// <summary>What is known of the transaction that an append belongs to, beside its bytes.</summary>
public readonly record struct TransactionCheck
{
    /// <summary>
    /// The log end offset from before the coordinator was asked whether the partition is part of the transaction, which it
    /// is: what a transaction may begin with. None where nobody was asked. A marker written since has ended that transaction.
    /// </summary>
    public Offset? VerifiedAt { get; init; }

    /// <summary>
    /// The leader epoch of the coordinator that said so; null where that is not known. One that was deposed may not know what
    /// its successor has ended.
    /// </summary>
    public long? VerifiedBy { get; init; }

    /// <summary>
    /// Whether a marker comes with a new epoch for its producer (KIP-890), so that one that is late is known by its epoch.
    /// </summary>
    public bool MarkerHasNewEpoch { get; init; }
}
