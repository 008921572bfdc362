using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Transactions;

/// <summary>
/// Gives a transactional id's producer its id and a new epoch, which fences the producer before it (KIP-98), or lets the same
/// producer go on after an error (KIP-360).
/// </summary>
internal sealed class ProducerInit(TransactionShard shard)
{
    /// <param name="request">The limits of its fields were looked at.</param>
    /// <param name="freshProducerId">An id that was never used, where there is one at hand.</param>
    /// <param name="nowMs">The time.</param>
    public CoordinatorResult<InitOutcome> Init(InitProducerIdRequest request, long? freshProducerId, long nowMs)
    {
        var result = new CoordinatorResult<InitOutcome>(nowMs);
        var state = shard.Find(request.TransactionalId!);
        if (state is null)
            return Begin(result, new(request.TransactionalId!, freshProducerId ?? -1, 0) { TimeoutMs = request.TransactionTimeoutMs, UpdatedMs = nowMs }, freshProducerId);
        if (!IsExpected(state, request))
            return result.With(new(ErrorCode.ProducerFenced));
        if (state.IsEnding)
            return result.With(new(ErrorCode.ConcurrentTransactions));
        if (state.Status == TransactionStatus.Ongoing)
            return Fence(result, state, request);
        if (IsRetry(state, request))
            return result.With(new(ErrorCode.None, state.ProducerId, state.Epoch));
        if (request.ProducerId >= 0 && request.ProducerEpoch != state.Epoch)
            return result.With(new(ErrorCode.ProducerFenced));
        return state.IsEpochExhausted
            ? Begin(result, state.WithProducerId(freshProducerId ?? -1, request.TransactionTimeoutMs, nowMs), freshProducerId)
            : Begin(result, state.WithNextEpoch(request.TransactionTimeoutMs, nowMs), state.ProducerId);
    }

    private CoordinatorResult<InitOutcome> Begin(CoordinatorResult<InitOutcome> result, TransactionState state, long? producerId)
    {
        if (producerId is null)
            return result.With(new(ErrorCode.None, NeedsProducerId: true));
        shard.Change(result, state);
        return result.With(new(ErrorCode.None, state.ProducerId, state.Epoch));
    }

    // What the last producer left open is aborted first; meanwhile the new one is told to come again.
    private CoordinatorResult<InitOutcome> Fence(CoordinatorResult<InitOutcome> result, TransactionState state, InitProducerIdRequest request)
    {
        if (request.ProducerId >= 0 && request.ProducerEpoch != state.Epoch)
            return result.With(new(ErrorCode.ProducerFenced));
        shard.Change(result, state.Preparing(isCommit: false, bumpsEpoch: true, TransactionState.NoProducerId, result.NowMs));
        return result.With(new(ErrorCode.ConcurrentTransactions));
    }

    // A producer that says who it was must have been the last one: the id is the present one, or it was used up in between.
    private static bool IsExpected(TransactionState state, InitProducerIdRequest request) =>
        request.ProducerId < 0
        || request.ProducerId == state.ProducerId
        || (request.ProducerId == state.PreviousProducerId && request.ProducerEpoch >= TransactionState.EpochMax);

    // The answer to its last request got lost.
    private static bool IsRetry(TransactionState state, InitProducerIdRequest request) =>
        request.ProducerId >= 0 && state.Status == TransactionStatus.Empty
        && (request.ProducerId == state.ProducerId
            ? request.ProducerEpoch != state.Epoch && request.ProducerEpoch == state.LastEpoch
            : request.ProducerId == state.PreviousProducerId && state.Epoch == 0);
}
