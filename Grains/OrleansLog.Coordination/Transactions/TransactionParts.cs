using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>Makes partitions part of a transaction, or says whether they are (KIP-98, KIP-890).</summary>
internal sealed class TransactionParts(TransactionOptions options, ITopicDirectory topics, TransactionShard shard)
{
    /// <summary>Adds partitions to the open transaction, or begins one with them. All or none.</summary>
    /// <param name="producer">Whose transaction it is.</param>
    /// <param name="partitions">What it writes to.</param>
    /// <param name="version">2 where each transaction of this producer has an epoch of its own (KIP-890).</param>
    /// <param name="nowMs">The time.</param>
    public CoordinatorResult<PartsOutcome> Add(
        ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions, short version, long nowMs)
    {
        var result = new CoordinatorResult<PartsOutcome>(nowMs);
        var state = shard.Find(producer.TransactionalId);
        var error = Check(state, producer);
        if (error != ErrorCode.None)
            return result.With(new(error));
        if (partitions.Where(each => !topics.Contains(each.Topic, each.Partition)).ToList() is { Count: > 0 } unknown)
            return result.With(new(ErrorCode.OperationNotAttempted, unknown.Distinct().ToDictionary(each => each, _ => ErrorCode.UnknownTopicOrPartition)));
        var isOpen = state!.Status == TransactionStatus.Ongoing;
        var grown = isOpen ? state.Partitions.Union(partitions) : [.. partitions];
        if (grown.Count > options.MaxPartitions)
            return result.With(new(ErrorCode.InvalidRequest));
        if (!isOpen || grown.Count > state.Partitions.Count)
            shard.Change(result, state.With(grown, version, nowMs));
        return result.With(new(ErrorCode.None));
    }

    /// <summary>Says which partitions are part of the open transaction.</summary>
    public CoordinatorResult<PartsOutcome> Verify(ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions, long nowMs)
    {
        var result = new CoordinatorResult<PartsOutcome>(nowMs);
        var state = shard.Find(producer.TransactionalId);
        var error = Check(state, producer);
        if (error != ErrorCode.None)
            return result.With(new(error));
        var open = state!.Status == TransactionStatus.Ongoing ? state.Partitions : [];
        return result.With(new(ErrorCode.None, partitions.Distinct().Where(each => !open.Contains(each)).ToDictionary(each => each, _ => ErrorCode.TransactionAbortable)));
    }

    private static ErrorCode Check(TransactionState? state, ProducerIdentity producer) =>
        state is null || state.ProducerId != producer.ProducerId ? ErrorCode.InvalidProducerIdMapping
        : state.IsEnding && (producer.Epoch == state.Epoch || (state.Version >= 2 && producer.Epoch == state.LastEpoch)) ? ErrorCode.ConcurrentTransactions
        : state.Epoch != producer.Epoch ? ErrorCode.ProducerFenced
        : ErrorCode.None;
}
