using OrleansLog.Protocol;

namespace OrleansLog.Coordination;

/// <summary>The port through which a coordinator reads its partition from the start, when it takes it over.</summary>
public interface IPartitionReader
{
    /// <summary>
    /// All committed records from the log start offset to the end that the log had when the call was made, batch by
    /// batch in offset order. A batch's buffers stay untouched until the next one is asked for. Throws when the log
    /// cannot be read: a coordinator must not serve what it only half knows.
    /// </summary>
    IAsyncEnumerable<LoadedBatch> ReadAsync(CancellationToken cancellation);
}

/// <summary>The decoded records of one batch.</summary>
/// <param name="BaseOffset">The offset of the first record.</param>
/// <param name="Records">The records, in offset order.</param>
public readonly record struct LoadedBatch(Offset BaseOffset, IReadOnlyList<CoordinatorRecord> Records)
{
    /// <summary>The transaction that the batch belongs to or ends; null for the coordinator's own.</summary>
    public TransactionWrite? Transaction { get; init; }
}
