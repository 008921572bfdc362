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

    /// <summary>
    /// Whether a batch may be appended: None; DuplicateSequenceNumber when it is there already, as
    /// <paramref name="original"/>; OutOfOrderSequenceNumber when something before it is missing; InvalidProducerEpoch when
    /// its producer has a later epoch. A producer that is not known may begin with any number, for it may just have been
    /// forgotten (KIP-360).
    /// </summary>
    public ErrorCode Check(in RecordBatchHeader batch, out ProducedBatch original)
    {
        original = default;
        if (batch.ProducerEpoch < 0) return ErrorCode.InvalidProducerEpoch;
        if (!_byId.TryGetValue(batch.ProducerId, out var node)) return ErrorCode.None;
        ref readonly var producer = ref node.State;
        if (batch.ProducerEpoch < producer.Epoch) return ErrorCode.InvalidProducerEpoch;
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
        if (batch.ProducerId < 0) return;
        if (_byId.TryGetValue(batch.ProducerId, out var node)) Unlink(node);
        else node = Add(new ProducerState { ProducerId = batch.ProducerId });
        node.State.Add(batch.ProducerEpoch, ProducedBatch.Of(batch));
        node.State.LastActiveMs = nowMs;
        LinkLast(node);
        Version++;
    }

    /// <summary>Forgets who has not appended since <paramref name="beforeMs"/>, on the clock of <see cref="Apply"/>.</summary>
    public void Expire(long beforeMs)
    {
        while (_oldest is { } oldest && oldest.State.LastActiveMs < beforeMs) Forget(oldest);
    }

    /// <summary>Takes over a producer as a snapshot holds it. To be called in the order of <see cref="ToArray"/>.</summary>
    public void Restore(in ProducerState producer) => LinkLast(Add(producer));

    /// <summary>A copy of all that is known, whoever was silent for longest first.</summary>
    public ProducerState[] ToArray()
    {
        var states = new ProducerState[Count];
        var i = 0;
        for (var node = _oldest; node is not null; node = node.Newer) states[i++] = node.State;
        return states;
    }

    private Node Add(in ProducerState state)
    {
        if (Count == ProducersMax) Forget(_oldest!);
        var node = new Node { State = state };
        _byId[state.ProducerId] = node;
        return node;
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
