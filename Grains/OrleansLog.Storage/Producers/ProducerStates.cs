using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Producers;

/// <summary>
/// The idempotent producers of one partition (KIP-98), as they follow from its batches: a leader refuses by it what came
/// twice or out of order, and a follower builds the same from what it appends, so that it is ready to lead. Decides and
/// changes in memory alone; allocates only for a producer that is new. The log's turn only.
/// </summary>
internal sealed class ProducerStates
{
    /// <summary>How many producers are remembered; beyond that the one that was silent for longest is forgotten.</summary>
    public const int ProducersMax = 32_768;

    private readonly Dictionary<long, Node> _byId = [];
    // The one that appended last comes last.
    private Node? _oldest;
    private Node? _newest;

    /// <summary>Rises with every change.</summary>
    public long Version { get; private set; }

    public int Count => _byId.Count;

    /// <summary>Where transactions begin and end.</summary>
    public TransactionIndex Transactions { get; } = new();

    /// <summary>
    /// Whether a batch may be appended: None; DuplicateSequenceNumber when it is there already, as
    /// <paramref name="original"/>; OutOfOrderSequenceNumber when something before it is missing; InvalidProducerEpoch when
    /// its producer has a later epoch; InvalidTxnState when it is not part of the transaction that is open, or would begin one
    /// that nobody has verified (KIP-890); TransactionCoordinatorFenced when who has verified it is coordinator no more. A producer that is not known may begin with any number, for it may just have been
    /// forgotten (KIP-360).
    /// </summary>
    public ErrorCode Check(in RecordBatchHeader batch, TransactionCheck transaction, out ProducedBatch original)
    {
        original = default;
        if (batch.ProducerEpoch < 0) return ErrorCode.InvalidProducerEpoch;
        if (!_byId.TryGetValue(batch.ProducerId, out var node))
            return batch.IsTransactional && transaction.VerifiedAt is null ? ErrorCode.InvalidTxnState : ErrorCode.None;
        var error = CheckSequence(batch, node, out original);
        return error == ErrorCode.None ? CheckTransaction(batch, node, transaction) : error;
    }

    /// <summary>
    /// Whether a marker may be appended: InvalidProducerEpoch when its producer has a later epoch; ConcurrentTransactions when
    /// its producer began another transaction in the epoch that should be new with it, so that what it ends has ended;
    /// TransactionCoordinatorFenced when a later coordinator ended a transaction already.
    /// </summary>
    public ErrorCode Check(in EndTransactionMarker marker, TransactionCheck transaction)
    {
        if (!_byId.TryGetValue(marker.ProducerId, out var node)) return ErrorCode.None;
        ref readonly var producer = ref node.State;
        if (marker.CoordinatorEpoch < producer.CoordinatorEpoch) return ErrorCode.TransactionCoordinatorFenced;
        if (marker.ProducerEpoch < producer.Epoch) return ErrorCode.InvalidProducerEpoch;
        var isLate = transaction.MarkerHasNewEpoch && producer.IsInTransaction && marker.ProducerEpoch == producer.Epoch;
        return isLate ? ErrorCode.ConcurrentTransactions : ErrorCode.None;
    }

    /// <summary>Whether a producer has a transaction open here, in this epoch.</summary>
    public bool IsInTransaction(long producerId, short epoch) =>
        _byId.TryGetValue(producerId, out var node) && node.State.IsInTransaction && node.State.Epoch == epoch;

    private static ErrorCode CheckTransaction(in RecordBatchHeader batch, Node node, TransactionCheck transaction)
    {
        ref readonly var producer = ref node.State;
        if (!batch.IsTransactional) return producer.IsInTransaction ? ErrorCode.InvalidTxnState : ErrorCode.None;
        if (producer.IsInTransaction) return producer.Epoch == batch.ProducerEpoch ? ErrorCode.None : ErrorCode.InvalidTxnState;
        if (transaction.VerifiedAt is not { } at || producer.LastMarker >= at) return ErrorCode.InvalidTxnState;
        return transaction.VerifiedBy < producer.CoordinatorEpoch ? ErrorCode.TransactionCoordinatorFenced : ErrorCode.None;
    }

    private static ErrorCode CheckSequence(in RecordBatchHeader batch, Node node, out ProducedBatch original)
    {
        original = default;
        ref readonly var producer = ref node.State;
        if (batch.ProducerEpoch < producer.Epoch) return ErrorCode.InvalidProducerEpoch;
        // A group coordinator writes in its clients' names, and does not number its batches.
        if (batch.BaseSequence == RecordBatchHeader.NoSequence) return ErrorCode.None;
        if (batch.ProducerEpoch > producer.Epoch)
            return batch.BaseSequence == 0 ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
        var lastSequence = SequenceNumber.Advance(batch.BaseSequence, batch.LastOffsetDelta);
        if (producer.TryFind(batch.BaseSequence, lastSequence, out original)) return ErrorCode.DuplicateSequenceNumber;
        return producer.IsNext(batch.BaseSequence) ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
    }

    /// <summary>Takes note of a batch that is in the log now. Batches without a producer change nothing.</summary>
    /// <param name="batch">The batch, with its offset.</param>
    /// <param name="nowMs">The time, in milliseconds on a clock that never jumps.</param>
    public void Apply(in RecordBatchHeader batch, long nowMs)
    {
        if (batch.ProducerId < 0 || batch.IsControl) return;
        ref var producer = ref Touch(batch.ProducerId, nowMs);
        producer.Add(batch.ProducerEpoch, ProducedBatch.Of(batch));
        if (!batch.IsTransactional || producer.IsInTransaction) return;
        producer.TransactionStart = batch.BaseOffset;
        Transactions.Begin(batch.BaseOffset);
    }

    /// <summary>Takes note of a marker that is in the log now.</summary>
    /// <param name="marker">The end of a transaction, or of none.</param>
    /// <param name="batch">The marker's batch, with its offset.</param>
    /// <param name="nowMs">As for a batch.</param>
    public void Apply(in EndTransactionMarker marker, in RecordBatchHeader batch, long nowMs)
    {
        ref var producer = ref Touch(marker.ProducerId, nowMs);
        producer.BeginEpoch(marker.ProducerEpoch);
        producer.CoordinatorEpoch = marker.CoordinatorEpoch;
        producer.LastMarker = batch.BaseOffset;
        producer.LastTimestampMs = batch.MaxTimestamp;
        if (!producer.IsInTransaction) return;
        Transactions.End(marker.ProducerId, producer.TransactionStart, batch.BaseOffset, marker.IsCommit);
        producer.TransactionStart = Offset.None;
    }

    /// <summary>
    /// Forgets who has not appended since <paramref name="beforeMs"/>, on the clock of <see cref="Apply(in RecordBatchHeader, long)"/>,
    /// and has no transaction open: its end is still to come.
    /// </summary>
    public void Expire(long beforeMs)
    {
        for (var node = _oldest; node is not null && node.State.LastActiveMs < beforeMs; node = node.Newer)
            if (!node.State.IsInTransaction) Forget(node);
    }

    /// <summary>Where the batches and markers lie by which the producers are known: who finds these in a log knows as much.</summary>
    public HashSet<Offset> LastBatches()
    {
        var offsets = new HashSet<Offset>();
        for (var node = _oldest; node is not null; node = node.Newer)
        {
            for (var i = 0; i < node.State.Count; i++) offsets.Add(node.State[i].BaseOffset);
            if (node.State.LastMarker != Offset.None) offsets.Add(node.State.LastMarker);
        }

        return offsets;
    }

    /// <summary>Forgets aborted transactions whose markers were removed, and their records before.</summary>
    public void DropAborted(IReadOnlyCollection<Offset> markers)
    {
        if (markers.Count > 0 && Transactions.DropAborted(markers)) Version++;
    }

    private void Restore(in ProducerState producer)
    {
        LinkLast(Add(producer));
        if (producer.IsInTransaction) Transactions.Begin(producer.TransactionStart);
    }

    /// <summary>What is known of everybody.</summary>
    public IEnumerable<ProducerDescription> Describe()
    {
        for (var node = _oldest; node is not null; node = node.Newer)
        {
            var state = node.State;
            yield return new(
                state.ProducerId, state.Epoch, state.Count > 0 ? state[state.Count - 1].LastSequence : RecordBatchHeader.NoSequence,
                state.LastTimestampMs, state.CoordinatorEpoch, state.TransactionStart);
        }
    }

    /// <summary>A copy of all that is known, whoever was silent for longest first.</summary>
    public Copy ToCopy()
    {
        var states = new ProducerState[Count];
        var i = 0;
        for (var node = _oldest; node is not null; node = node.Newer) states[i++] = node.State;
        var (ended, aborted) = Transactions.Copy();
        return new(states, ended, aborted, Version);
    }

    /// <summary>What a copy tells.</summary>
    public static ProducerStates Of(Copy copy)
    {
        var states = new ProducerStates();
        foreach (var producer in copy.Producers) states.Restore(producer);
        states.Transactions.Restore(copy.Ended, copy.Aborted);
        return states;
    }

    /// <summary>All that is known at one time, which was the <paramref name="Version"/>.</summary>
    internal sealed record Copy(ProducerState[] Producers, EndedTransaction[] Ended, AbortedTransaction[] Aborted, long Version)
    {
        public bool IsEmpty => Producers.Length + Ended.Length + Aborted.Length == 0;
    }

    private ref ProducerState Touch(long producerId, long nowMs)
    {
        if (_byId.TryGetValue(producerId, out var node)) Unlink(node);
        else node = Add(new ProducerState { ProducerId = producerId });
        node.State.LastActiveMs = nowMs;
        LinkLast(node);
        Version++;
        return ref node.State;
    }

    private Node Add(in ProducerState state)
    {
        if (Count >= ProducersMax) ForgetOldest();
        var node = new Node { State = state };
        _byId[state.ProducerId] = node;
        return node;
    }

    // Open transactions are as many as their coordinators allow, whatever the limit here.
    private void ForgetOldest()
    {
        var node = _oldest;
        while (node is { State.IsInTransaction: true }) node = node.Newer;
        if (node is not null) Forget(node);
    }

    private void Forget(Node node)
    {
        Unlink(node);
        _byId.Remove(node.State.ProducerId);
        Version++;
    }

    private void LinkLast(Node node)
    {
        (node.Older, node.Newer) = (_newest, null);
        if (_newest is null) _oldest = node;
        else _newest.Newer = node;
        _newest = node;
    }

    private void Unlink(Node node)
    {
        if (node.Older is null) _oldest = node.Newer;
        else node.Older.Newer = node.Newer;
        if (node.Newer is null) _newest = node.Older;
        else node.Newer.Older = node.Older;
    }

    private sealed class Node
    {
        public ProducerState State;

        public Node? Older { get; set; }

        public Node? Newer { get; set; }
    }
}
