using Microsoft.Extensions.Logging;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Transactions;

/// <summary>
/// The transactions of one partition of <c>__transaction_state</c> (KIP-98). Its handlers are in the classes that it hands
/// requests to. When an outcome is committed, <paramref name="decided"/> is told of it: it has the partitions told, and comes
/// back with <see cref="Complete(TransactionState, IReadOnlyCollection{TopicPartition}, long)"/>.
/// <para>
/// That a transaction is complete is not written at once, nor that the next one has begun in the same partitions: the record of
/// the next outcome says it all. A successor that does not find it has the markers written once more.
/// </para>
/// </summary>
/// <param name="options">The limits.</param>
/// <param name="topics">Which topics exist.</param>
/// <param name="decided">Told of what must be written now. Called on the shard's turn or that of a commit; must not wait.</param>
/// <param name="logger">Told of transactions that were given up.</param>
internal sealed class TransactionShard(
    TransactionOptions options, ITopicDirectory topics, Action<TransactionShard, TransactionState> decided, ILogger logger) : ICoordinatorShard
{
    private readonly TransactionStore _store = new();
    private readonly TransactionWaits _waiting = new();

    public int Mark => _store.Mark;

    /// <inheritdoc cref="ProducerInit.Init"/>
    public CoordinatorResult<InitOutcome> Init(InitProducerIdRequest request, long? freshProducerId, long nowMs)
    {
        var result = new ProducerInit(this).Init(request, freshProducerId, nowMs);
        BeSure(result, result.Reply!.Error, request.TransactionalId!, Find(request.TransactionalId!));
        return result;
    }

    /// <summary>As <see cref="TransactionParts.Add"/>; but a transaction that is just ending is waited for.</summary>
    public CoordinatorResult<PartsOutcome> Add(
        ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions, short version, PendingReply<PartsOutcome> reply, long nowMs)
    {
        var result = new CoordinatorResult<PartsOutcome>(nowMs);
        var asked = new AskedParts(producer, partitions, version, reply);
        var outcome = Parts.Add(result, Find(producer.TransactionalId), asked).Outcome;
        BeSure(result, outcome.Error, producer.TransactionalId, Find(producer.TransactionalId));
        return outcome.Error == ErrorCode.ConcurrentTransactions && _waiting.TryAdd(asked) ? result : result.With(outcome, outcome.AwaitsCommit);
    }

    /// <inheritdoc cref="TransactionParts.Verify"/>
    public CoordinatorResult<PartsOutcome> Verify(ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions, long nowMs)
    {
        var (result, state) = (new CoordinatorResult<PartsOutcome>(nowMs), Find(producer.TransactionalId));
        var outcome = TransactionParts.Verify(state, producer, partitions);
        BeSure(result, outcome.Error, producer.TransactionalId, state);
        return result.With(outcome);
    }

    /// <inheritdoc cref="TransactionEnding.End"/>
    public CoordinatorResult<EndOutcome> End(ProducerIdentity producer, bool isCommit, bool bumpsEpoch, long? freshProducerId, long nowMs)
    {
        var result = new TransactionEnding(this).End(producer, isCommit, bumpsEpoch, freshProducerId, nowMs);
        BeSure(result, result.Reply!.Error, producer.TransactionalId, Find(producer.TransactionalId));
        return result;
    }

    /// <summary>Every partition knows the outcome. Nothing happens where the transaction has come further meanwhile.</summary>
    /// <param name="ended">The transaction.</param>
    /// <param name="begun">Where the producer's next one had begun under the coordinator before.</param>
    /// <param name="nowMs">The time.</param>
    public CoordinatorResult<Completed> Complete(TransactionState ended, IReadOnlyCollection<TopicPartition> begun, long nowMs)
    {
        var result = new CoordinatorResult<Completed>(nowMs);
        if (Find(ended.TransactionalId) is { IsEnding: true } state && state.ProducerId == ended.ProducerId && state.Epoch == ended.Epoch)
            Complete(result, state.Completed(nowMs), begun);
        return result.With(new Completed(ErrorCode.None), awaitsCommit: false);
    }

    private void Complete(CoordinatorResult result, TransactionState state, IReadOnlyCollection<TopicPartition> begun)
    {
        if (begun.Count > 0)
            state = state.With([.. begun], version: 2, isWritten: false, result.NowMs);
        Change(result, state, isWritten: false);
        foreach (var asked in _waiting.Take(state.TransactionalId))
        {
            (var outcome, state) = Parts.Add(result, state, asked);
            state = BeSure(result, outcome.Error, state.TransactionalId, state)!;
            result.Settle(asked.Reply, outcome, outcome.AwaitsCommit);
        }
    }

    public CoordinatorResult<ListTransactionsResponse> List(ListTransactionsRequest request, long nowMs) =>
        TransactionListing.List(_store.All, request, nowMs);

    public CoordinatorResult<DescribeTransactionsResponse.TransactionState> Describe(string transactionalId, long nowMs) =>
        TransactionListing.Describe(transactionalId, Find(transactionalId), nowMs);

    public TransactionState? Find(string transactionalId) => _store.Find(transactionalId);

    /// <summary>Makes a state the present one, with all that follows from it.</summary>
    public void Change(CoordinatorResult result, TransactionState state, bool isWritten = true)
    {
        result.Append(new TransactionRecord(state.TransactionalId, state, isWritten));
        if (isWritten && state.HasEnded)
            result.CancelTimer(TimerOf(state.TransactionalId));
        else
            StartTimer(result, state);
        if (state.IsEnding)
            result.WhenCommitted(() => decided(this, state));
    }

    public void Replay(StateRecord record) => _store.Replay((TransactionRecord)record);

    public void Load(Offset offset, in CoordinatorRecord record)
    {
        if (TransactionRecord.Read(record) is { } change)
            _store.Replay(change);
    }

    public void Accept() => _store.Accept();

    public CoordinatorResult RollBack(int mark, ErrorCode error, long nowMs)
    {
        var result = new CoordinatorResult(nowMs);
        foreach (var state in _store.RollBack(mark))
            StartTimer(result, state);
        return result;
    }

    public CoordinatorResult Loaded(long nowMs)
    {
        var result = new CoordinatorResult(nowMs);
        result.SetTimer(new(TimerKind.Expiry), options.IdExpirationCheckIntervalMs);
        foreach (var state in _store.All)
        {
            if (state.Status == TransactionStatus.Ongoing)
                StartTimer(result, state);
            else if (state.IsEnding)
                result.WhenCommitted(() => decided(this, state));
        }
        return result;
    }

    public CoordinatorResult TimerDue(TimerKey key, long nowMs)
    {
        if (key.Kind == TimerKind.Expiry)
            return ForgetUnused(nowMs);
        var result = new CoordinatorResult(nowMs);
        var state = Find(key.Group);
        if (state is { Status: TransactionStatus.Ongoing })
            TimeUp(result, state);
        else if (state is { HasEnded: true })
            Change(result, state with { Reserved = [] });
        return result;
    }

    public CoordinatorResult Unload(ErrorCode error, long nowMs)
    {
        var result = new CoordinatorResult(nowMs);
        foreach (var asked in _waiting.TakeAll())
            result.Refuse(asked.Reply, error);
        return result;
    }

    // A producer that hears this stops. A coordinator that does not know that it was deposed may judge by what is long past: what it
    // judges by is written once more, which nobody but the leader gets committed, and the answer waits for that.
    private TransactionState? BeSure(CoordinatorResult result, ErrorCode error, string transactionalId, TransactionState? state)
    {
        if (error is not (ErrorCode.ProducerFenced or ErrorCode.InvalidProducerIdMapping or ErrorCode.InvalidTxnState))
            return state;
        if (state is null || state.IsEnding)
        {
            result.Append(new TransactionRecord(transactionalId, state));
            return state;
        }
        state = state with { Reserved = [] };
        Change(result, state);
        return state;
    }

    private TransactionParts Parts => new(options, topics, this);

    // The producer is fenced by that: its next request is refused.
    private void TimeUp(CoordinatorResult result, TransactionState state)
    {
        if (result.NowMs - state.StartMs < state.TimeoutMs)
        {
            StartTimer(result, state);
            return;
        }
        logger.LogInformation(
            "The transaction of {TransactionalId} (producer {ProducerId}, epoch {Epoch}) was not ended within {TimeoutMs} ms; it is aborted",
            state.TransactionalId, state.ProducerId, state.Epoch, state.TimeoutMs);
        Change(result, state.Preparing(isCommit: false, bumpsEpoch: true, TransactionState.NoProducerId, result.NowMs));
    }

    // Until an open transaction is aborted, or one that is complete and not followed by another is written.
    private void StartTimer(CoordinatorResult result, TransactionState state)
    {
        if (state.Status == TransactionStatus.Ongoing)
            result.SetTimer(TimerOf(state.TransactionalId), Math.Clamp(state.StartMs + state.TimeoutMs - result.NowMs, 1, state.TimeoutMs));
        else if (state.HasEnded)
            result.SetTimer(TimerOf(state.TransactionalId), options.CompleteAfterMs);
        else
            result.CancelTimer(TimerOf(state.TransactionalId));
    }

    private static TimerKey TimerOf(string transactionalId) => new(TimerKind.Transaction, transactionalId);

    private CoordinatorResult ForgetUnused(long nowMs)
    {
        var result = new CoordinatorResult(nowMs) { IsAtomic = false };
        foreach (var state in _store.All)
        {
            if ((state.HasEnded || state.Status == TransactionStatus.Empty) && nowMs - state.UpdatedMs >= options.IdExpirationMs)
                result.Append(new TransactionRecord(state.TransactionalId, null));
        }
        result.SetTimer(new(TimerKind.Expiry), options.IdExpirationCheckIntervalMs);
        return result;
    }
}

/// <summary>Who asks.</summary>
internal readonly record struct ProducerIdentity(string TransactionalId, long ProducerId, short Epoch);

/// <summary>What a request for a producer id came to.</summary>
/// <param name="Error">Why there is none.</param>
/// <param name="ProducerId">The id.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="NeedsProducerId">Whether to ask again with an id that was never used.</param>
internal sealed record InitOutcome(ErrorCode Error, long ProducerId = -1, short Epoch = -1, bool NeedsProducerId = false);

/// <summary>What a request to end a transaction came to; the parameters are those of <see cref="InitOutcome"/>.</summary>
internal sealed record EndOutcome(ErrorCode Error, long ProducerId = -1, short Epoch = -1, bool NeedsProducerId = false);

/// <summary>Whether partitions are part of a transaction.</summary>
/// <param name="Error">The same for all; otherwise None.</param>
/// <param name="Refused">The partitions that stand apart, each with its error.</param>
internal sealed record PartsOutcome(ErrorCode Error, IReadOnlyDictionary<TopicPartition, ErrorCode>? Refused = null)
{
    /// <summary>Whether the answer waits until what makes it so is committed.</summary>
    public bool AwaitsCommit { get; init; } = true;

    public ErrorCode Of(TopicPartition partition) => Refused?.GetValueOrDefault(partition, Error) ?? Error;
}

/// <summary>Whether the end of a transaction was noted.</summary>
internal sealed record Completed(ErrorCode Error);
