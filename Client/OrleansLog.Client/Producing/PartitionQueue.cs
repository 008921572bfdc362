using System.Diagnostics;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>
/// The batches of one partition that wait to be sent or acknowledged. Its lock is held for an append or for taking a
/// batch, never while anything is sent.
/// </summary>
internal sealed class PartitionQueue(TopicPartition partition, ProducerState producer)
{
    private const int ReserveBytes = 16 * 1024;
    private const int RecordOverheadBytesMax = 32;

    private readonly Lock _gate = new();
    private readonly LinkedList<ProducerBatch> _closed = new();
    private readonly List<ProducerBatch> _inFlight = [];
    private ProducerBatch? _open;
    private long _lastSequence;
    private bool _isQueued;
    private bool _isLingering;
    private bool _awaitsRetry;
    private ProducerIdentity _identity = ProducerIdentity.None;
    private int _nextSequence;
    private bool _mustBeginEpoch;

    public TopicPartition Partition => partition;

    /// <summary>Before this time, on the producer's clock, nothing is sent again after a failure.</summary>
    public long RetryAtMs { get; private set; }

    /// <summary>Appends a record to the open batch, or to a new one.</summary>
    /// <returns>False if the producer's buffer has no room for it.</returns>
    public bool TryAppend(in OutgoingRecord record, long timestampMs, bool isAwaited, Activity? activity, out ValueTask<RecordMetadata> delivery)
    {
        delivery = default;
        bool isAppended, isReady;
        lock (_gate)
        {
            isAppended = TryAppendToOpen(record, timestampMs);
            if (isAppended && isAwaited) delivery = _open!.AwaitLast(activity);
            isReady = TryMarkQueued();
        }
        if (isReady) producer.Sender.Enqueue(this);
        return isAppended;
    }

    /// <summary>Takes the next batch if it is time to send one.</summary>
    /// <param name="nowMs">The producer's clock.</param>
    /// <param name="dueMs">When to ask again, if the answer is null and nothing else will bring it up.</param>
    public ProducerBatch? Take(long nowMs, out long dueMs)
    {
        lock (_gate)
        {
            _isQueued = _isLingering = false;
            dueMs = long.MaxValue;
            if (!MaySend()) return null;
            if (nowMs < RetryAtMs)
            {
                dueMs = RetryAtMs;
                return null;
            }
            if (_closed.Count == 0 && _open is { RecordCount: > 0 } && !CloseUnlessLingering(nowMs, out dueMs)) return null;
            if (TryIdentify()) return TakeClosed();
            // The sender has to ask for an identity first.
            dueMs = nowMs;
            return null;
        }
    }

    /// <summary>Ends a batch's flight.</summary>
    public void Land(ProducerBatch batch)
    {
        lock (_gate)
        {
            _inFlight.Remove(batch);
            if (_inFlight.Count == 0) _awaitsRetry = false;
        }
    }

    /// <summary>Ends a batch's flight and puts it back to its place. Nothing else is sent until all that is in flight has landed.</summary>
    public void PutBack(IReadOnlyList<ProducerBatch> batches, ProducerBatch landed, long retryAtMs)
    {
        lock (_gate)
        {
            _inFlight.Remove(landed);
            _awaitsRetry = _inFlight.Count > 0;
            RetryAtMs = retryAtMs;
            for (var i = batches.Count - 1; i >= 0; i--) Insert(batches[i]);
        }
    }

    /// <summary>Whether nothing that comes before a batch waits to be sent or acknowledged.</summary>
    public bool IsFirst(ProducerBatch batch)
    {
        lock (_gate) return _closed.First?.Value.IsBefore(batch) != true && !_inFlight.Exists(other => other.IsBefore(batch));
    }

    /// <summary>Numbers everything that is not acknowledged anew, in the next epoch, once nothing is in flight (KIP-360).</summary>
    public void BeginEpoch()
    {
        lock (_gate) _mustBeginEpoch = true;
    }

    /// <summary>Asks to be looked at, unless that is going to happen anyway.</summary>
    public void EnqueueIfAny()
    {
        bool isReady;
        lock (_gate)
        {
            if (producer.IsFlushing) _isLingering = false;
            isReady = TryMarkQueued();
        }
        if (isReady) producer.Sender.Enqueue(this);
    }

    /// <summary>Takes all batches out that wait longer than they may.</summary>
    public void TakeExpired(long createdBeforeMs, List<ProducerBatch> expired)
    {
        lock (_gate)
        {
            if (_open is not null && _open.CreatedMs < createdBeforeMs) CloseOpen();
            while (_closed.First is { } first && first.Value.CreatedMs < createdBeforeMs)
            {
                expired.Add(first.Value);
                _closed.RemoveFirst();
            }
        }
    }

    /// <summary>Takes all batches out that are not on their way.</summary>
    public void TakeAll(List<ProducerBatch> taken)
    {
        lock (_gate)
        {
            _isQueued = _isLingering = false;
            CloseOpen();
            taken.AddRange(_closed);
            _closed.Clear();
        }
    }

    /// <summary>
    /// Adds a task for each batch that is not settled yet. The open one is closed: whoever waits for it adds nothing to it, so it
    /// need not wait for what is in flight.
    /// </summary>
    public void CollectUnsettled(List<Task> tasks)
    {
        lock (_gate)
        {
            CloseOpen();
            if (_open is not null) tasks.Add(_open.WhenSettled());
            tasks.AddRange(_closed.Concat(_inFlight).Select(batch => batch.WhenSettled()));
        }
    }

    private bool TryAppendToOpen(in OutgoingRecord record, long timestampMs)
    {
        _open ??= Open();
        if (!TryReserve(_open, record)) return false;
        if (TryWrite(_open, record, timestampMs)) return true;
        CloseOpen();
        _open = Open();
        return TryReserve(_open, record) && TryWrite(_open, record, timestampMs);
    }

    private ProducerBatch Open() => new(this, producer.Builders.Rent(), ++_lastSequence, producer.NowMs());

    private static bool TryWrite(ProducerBatch batch, in OutgoingRecord record, long timestampMs) => batch.Builder.TryAppend(
        record.TimestampMs ?? timestampMs, record.HasKey ? record.Key : [], !record.HasKey,
        record.IsTombstone ? [] : record.Value, record.IsTombstone, record.Headers);

    // Memory is taken in steps, so that most appends touch no counter that threads share.
    private bool TryReserve(ProducerBatch batch, in OutgoingRecord record)
    {
        var missing = batch.Builder.SizeInBytes + SizeMaxOf(record) - batch.ReservedBytes;
        if (missing <= 0) return true;
        var wanted = Math.Max(missing, ReserveBytes);
        if (!producer.Budget.TryTake(wanted))
        {
            wanted = missing;
            if (!producer.Budget.TryTake(wanted)) return false;
        }
        batch.ReservedBytes += wanted;
        return true;
    }

    /// <summary>No fewer bytes than the record takes in a batch.</summary>
    public static long SizeMaxOf(in OutgoingRecord record)
    {
        long size = record.Key.Length + record.Value.Length + RecordOverheadBytesMax;
        foreach (ref readonly var header in record.Headers)
        {
            size += 3 * header.Key.Length + header.Value.GetValueOrDefault().Length + 10;
        }
        return size;
    }

    private bool CloseUnlessLingering(long nowMs, out long dueMs)
    {
        dueMs = _open!.CreatedMs + (producer.IsFlushing ? 0 : producer.Options.LingerMs);
        _isLingering = nowMs < dueMs;
        if (_isLingering) return false;
        CloseOpen();
        dueMs = long.MaxValue;
        return true;
    }

    private void CloseOpen()
    {
        if (_open is not { RecordCount: > 0 } full) return;
        _closed.AddLast(full);
        _open = null;
    }

    private bool TryMarkQueued()
    {
        if (_isQueued || !IsWorthTaking()) return false;
        return _isQueued = true;
    }

    // With something in flight only a full batch is worth sending: the rest had better gather until that has landed.
    private bool IsWorthTaking() =>
        MaySend() && (_closed.Count > 0 || (_inFlight.Count == 0 && !_isLingering && _open is { RecordCount: > 0 }));

    private bool MaySend() =>
        !_awaitsRetry && (_inFlight.Count == 0 || (!_mustBeginEpoch && _inFlight.Count < producer.BatchesInFlightPerPartitionMax));

    // False when a new producer id is needed.
    private bool TryIdentify()
    {
        // Each transaction has an epoch of its own, in which every partition begins its numbers anew (KIP-890).
        if (producer.Transactions is not null && producer.Identities.Current is var current && current != _identity)
            (_identity, _nextSequence, _mustBeginEpoch) = (current, 0, false);
        if (_mustBeginEpoch)
        {
            if (_identity.Next() == ProducerIdentity.None) producer.Identities.Discard(_identity.ProducerId);
            (_identity, _nextSequence, _mustBeginEpoch) = (_identity.Next(), 0, false);
        }

        if (_identity == ProducerIdentity.None) _identity = producer.Identities.Current;
        return producer.Identities.IsKnown || _identity != ProducerIdentity.None;
    }

    private void Number(ProducerBatch batch)
    {
        if (_identity == ProducerIdentity.None || batch.Identity == _identity) return;
        batch.Number(_identity, _nextSequence);
        batch.Builder.IsTransactional = producer.Transactions is not null;
        producer.Transactions?.NotePart();
        _nextSequence = SequenceNumber.Advance(_nextSequence, batch.RecordCount);
    }

    private ProducerBatch? TakeClosed()
    {
        if (_closed.First is not { } first) return null;
        _closed.RemoveFirst();
        Number(first.Value);
        _inFlight.Add(first.Value);
        return first.Value;
    }

    private void Insert(ProducerBatch batch)
    {
        var after = _closed.First;
        while (after is not null && after.Value.IsBefore(batch)) after = after.Next;
        if (after is null) _closed.AddLast(batch);
        else _closed.AddBefore(after, batch);
    }
}
