using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>Makes partitions part of a transaction, or says whether they are (KIP-98, KIP-890).</summary>
internal sealed class TransactionParts(TransactionOptions options, ITopicDirectory topics, TransactionShard shard)
{
    /// <summary>Adds partitions to the open transaction, or begins one with them. All or none.</summary>
    /// <param name="result">Takes what follows.</param>
    /// <param name="state">Where the transactional id stands.</param>
    /// <param name="asked">The partitions.</param>
    /// <returns>What came of it, and where the transactional id stands then.</returns>
    public (PartsOutcome Outcome, TransactionState State) Add(CoordinatorResult result, TransactionState? state, AskedParts asked)
    {
        var error = Check(state, asked.Producer);
        if (error != ErrorCode.None)
            return (new(error), state!);
        if (asked.Partitions.Where(each => !topics.Contains(each.Topic, each.Partition)).ToList() is { Count: > 0 } unknown)
            return (new(ErrorCode.OperationNotAttempted, unknown.Distinct().ToDictionary(each => each, _ => ErrorCode.UnknownTopicOrPartition)), state!);
        var isOpen = state!.Status == TransactionStatus.Ongoing;
        var grown = isOpen ? state.Partitions.Union(asked.Partitions) : [.. asked.Partitions];
        if (grown.Count > options.MaxPartitions)
            return (new(ErrorCode.InvalidRequest), state);
        var isReserved = asked.Version >= 2 && state.Reserved.IsSupersetOf(asked.Partitions);
        var outcome = new PartsOutcome(ErrorCode.None) { AwaitsCommit = !isReserved };
        if (isOpen && grown.Count == state.Partitions.Count)
            return (outcome, state);
        var after = state.With(grown, asked.Version, isWritten: !isReserved, result.NowMs);
        shard.Change(result, after, isWritten: !isReserved);
        return (outcome, after);
    }

    /// <summary>Says which partitions are part of the open transaction.</summary>
    public static PartsOutcome Verify(TransactionState? state, ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions)
    {
        var error = Check(state, producer);
        if (error != ErrorCode.None)
            return new(error);
        var open = state!.Status == TransactionStatus.Ongoing ? state.Partitions : [];
        return new(ErrorCode.None, partitions.Distinct().Where(each => !open.Contains(each)).ToDictionary(each => each, _ => ErrorCode.TransactionAbortable));
    }

    private static ErrorCode Check(TransactionState? state, ProducerIdentity producer) =>
        state is null || state.ProducerId != producer.ProducerId ? ErrorCode.InvalidProducerIdMapping
        : state.IsEnding && (producer.Epoch == state.Epoch || (state.Version >= 2 && producer.Epoch == state.LastEpoch)) ? ErrorCode.ConcurrentTransactions
        : state.Epoch != producer.Epoch ? ErrorCode.ProducerFenced
        : ErrorCode.None;
}
