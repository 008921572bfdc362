using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Producers;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>What a <see cref="TransactionCoordinator"/> is given by the engine that runs it.</summary>
/// <param name="Time">The clock.</param>
/// <param name="Topics">Which topics exist.</param>
/// <param name="Ids">Where producer ids come from.</param>
/// <param name="Markers">Writes the ends of transactions.</param>
/// <param name="Logger">Where it is logged what became of transactions.</param>
public sealed record TransactionPorts(TimeProvider Time, ITopicDirectory Topics, ProducerIds Ids, ITransactionMarkers Markers, ILogger Logger);

/// <summary>The port through which a coordinator ends a transaction in the partitions that are part of it.</summary>
public interface ITransactionMarkers
{
    /// <summary>
    /// Has each partition's leader write the marker, again and again until every partition that still exists has it,
    /// committed.
    /// </summary>
    /// <exception cref="OperationCanceledException">This coordinator has resigned.</exception>
    Task<MarkersWritten> WriteAsync(TransactionEnd end, CancellationToken cancellationToken);
}

/// <summary>What came of having a transaction's markers written.</summary>
/// <param name="IsDone">False when a partition has heard of a later coordinator, who will see to it.</param>
/// <param name="Begun">
/// The partitions in which the producer's next transaction is open already: a coordinator before this one has had the markers
/// written there, and let it begin.
/// </param>
public sealed record MarkersWritten(bool IsDone, IReadOnlyCollection<TopicPartition> Begun);

/// <summary>A transaction whose outcome is decided, and committed.</summary>
/// <param name="TransactionalId">Whose it is.</param>
/// <param name="ProducerId">In whose name its batches are.</param>
/// <param name="ProducerEpoch">The epoch of the markers.</param>
/// <param name="IsCommit">Its outcome.</param>
/// <param name="Partitions">What is part of it.</param>
/// <param name="CoordinatorEpoch">The leader epoch of the coordinator.</param>
/// <param name="HasNewEpoch">Whether no batch of the transaction has the markers' epoch (KIP-890).</param>
public sealed record TransactionEnd(
    string TransactionalId, long ProducerId, short ProducerEpoch, bool IsCommit, IReadOnlyCollection<TopicPartition> Partitions,
    int CoordinatorEpoch, bool HasNewEpoch);
