using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Transactions;

/// <summary>
/// Decides the outcome of a transaction because its producer says so (KIP-98). Where each transaction has an epoch of its own
/// (KIP-890), the producer goes on with the next one, and a request that is late is known by its epoch.
/// </summary>
internal sealed class TransactionEnding(TransactionShard shard)
{
    /// <param name="producer">Whose transaction it is.</param>
    /// <param name="isCommit">The outcome that it asks for.</param>
    /// <param name="bumpsEpoch">Whether it goes on with the next epoch.</param>
    /// <param name="freshProducerId">An id that was never used, where there is one at hand.</param>
    /// <param name="nowMs">The time.</param>
    public CoordinatorResult<EndOutcome> End(ProducerIdentity producer, bool isCommit, bool bumpsEpoch, long? freshProducerId, long nowMs)
    {
        var result = new CoordinatorResult<EndOutcome>(nowMs);
        var state = shard.Find(producer.TransactionalId);
        if (state is null)
            return result.With(new(ErrorCode.InvalidProducerIdMapping));
        if (bumpsEpoch && IsRetry(state, producer))
            return result.With(AnswerAgain(state, isCommit));
        if (state.ProducerId != producer.ProducerId)
            return result.With(new(ErrorCode.InvalidProducerIdMapping));
        if (state.Epoch != producer.Epoch)
            return result.With(new(ErrorCode.ProducerFenced));
        var mayEnd = state.Status == TransactionStatus.Ongoing || (bumpsEpoch && !isCommit && !state.IsEnding);
        return mayEnd ? Decide(result, state, isCommit, bumpsEpoch, freshProducerId) : result.With(new(WhyNot(state, isCommit, bumpsEpoch)));
    }

    private CoordinatorResult<EndOutcome> Decide(
        CoordinatorResult<EndOutcome> result, TransactionState state, bool isCommit, bool bumpsEpoch, long? freshProducerId)
    {
        var needsProducerId = bumpsEpoch && state.IsEpochExhausted;
        if (needsProducerId && freshProducerId is null)
            return result.With(new(ErrorCode.None, NeedsProducerId: true));
        var next = needsProducerId ? freshProducerId!.Value : TransactionState.NoProducerId;
        var version = (short)(bumpsEpoch ? 2 : 1);
        var decided = (state with { Version = version }).Preparing(isCommit, bumpsEpoch, next, result.NowMs);
        shard.Change(result, decided);
        return result.With(After(decided));
    }

    // Who the producer is from now on.
    private static EndOutcome After(TransactionState state) => state.NextProducerId == TransactionState.NoProducerId
        ? new(ErrorCode.None, state.ProducerId, state.Epoch)
        : new(ErrorCode.None, state.NextProducerId, 0);

    private static ErrorCode WhyNot(TransactionState state, bool isCommit, bool bumpsEpoch) => state.Status switch
    {
        // The next transaction, in the epoch that this end brings: it had begun under the coordinator before.
        _ when bumpsEpoch && state.IsEnding => ErrorCode.ConcurrentTransactions,
        TransactionStatus.PrepareCommit when isCommit => ErrorCode.ConcurrentTransactions,
        TransactionStatus.PrepareAbort when !isCommit => ErrorCode.ConcurrentTransactions,
        TransactionStatus.CompleteCommit when isCommit && !bumpsEpoch => ErrorCode.None,
        TransactionStatus.CompleteAbort when !isCommit && !bumpsEpoch => ErrorCode.None,
        _ => ErrorCode.InvalidTxnState,
    };

    // Its epoch is the one before the bump, or the last one of the id that was used up.
    private static bool IsRetry(TransactionState state, ProducerIdentity producer)
    {
        var hasEnded = state.Version >= 2 && (state.IsEnding || state.HasEnded);
        return hasEnded && (state.ProducerId == producer.ProducerId
            ? state.Epoch == producer.Epoch + 1
            : state.PreviousProducerId == producer.ProducerId && producer.Epoch == TransactionState.EpochMax && state.Epoch == 0);
    }

    private static EndOutcome AnswerAgain(TransactionState state, bool isCommit) =>
        state.IsCommit == isCommit ? After(state) : new(ErrorCode.InvalidTxnState);
}
