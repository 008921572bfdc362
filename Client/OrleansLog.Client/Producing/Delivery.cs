using System.Buffers;
using System.Diagnostics;
using System.Threading.Tasks.Sources;
using OrleansLog.Protocol;

namespace OrleansLog.Client.Producing;

/// <summary>
/// Tells those who await records of one batch what became of them: one object and one pooled array for all of them.
/// A record's token is its place in that array. The array goes back to the pool when all have looked; if one never
/// does, the garbage collector takes it.
/// </summary>
internal sealed class Delivery(TopicPartition partition) : IValueTaskSource<RecordMetadata>
{
    /// <summary>How many awaited records one delivery can tell apart.</summary>
    public const int RecordsMax = ushort.MaxValue + 1;

    private const int FirstCapacity = 16;

    private readonly Lock _gate = new();
    private Waiter[]? _waiters = ArrayPool<Waiter>.Shared.Rent(FirstCapacity);
    private int _count;
    private int _seen;
    private int _settled;

    public bool IsFull => _count == RecordsMax;

    /// <summary>Adds a record; the task completes with it.</summary>
    /// <param name="indexInBatch">Which record of the batch it is, from 0.</param>
    /// <param name="activity">A span that ends with the delivery, if there is one.</param>
    public ValueTask<RecordMetadata> Add(int indexInBatch, Activity? activity)
    {
        lock (_gate)
        {
            if (_count == _waiters!.Length) Grow();
            _waiters[_count] = new Waiter { IndexInBatch = indexInBatch, Activity = activity };
            return new ValueTask<RecordMetadata>(this, (short)_count++);
        }
    }

    /// <summary>Settles the records of an acknowledged batch.</summary>
    /// <param name="first">The index of the batch's first record here: above 0 after a split.</param>
    /// <param name="count">How many records the batch has.</param>
    /// <param name="baseOffset">The offset of its first record.</param>
    /// <param name="logAppendTimeMs">When the broker appended it, or -1.</param>
    public void Succeed(int first, int count, Offset baseOffset, long logAppendTimeMs) =>
        Settle(first, count, baseOffset, logAppendTimeMs, null);

    /// <summary>Settles the records of a batch that was given up.</summary>
    public void Fail(int first, int count, OrleansLogException error) => Settle(first, count, Offset.None, -1, error);

    RecordMetadata IValueTaskSource<RecordMetadata>.GetResult(short token)
    {
        Waiter waiter;
        lock (_gate)
        {
            waiter = WaiterOf(token);
            if (!waiter.IsSettled) throw new InvalidOperationException("The record is not delivered yet: await it.");
            if (++_seen == _settled && _settled == _count) ReturnWaiters();
        }
        if (waiter.Error is not null) throw new OrleansLogException(waiter.Error.ErrorCode, waiter.Error.Message, waiter.Error);
        return new RecordMetadata(partition.Topic, partition.Partition, waiter.Offset, waiter.LogAppendTimeMs);
    }

    ValueTaskSourceStatus IValueTaskSource<RecordMetadata>.GetStatus(short token)
    {
        lock (_gate)
        {
            ref var waiter = ref WaiterOf(token);
            if (!waiter.IsSettled) return ValueTaskSourceStatus.Pending;
            return waiter.Error is null ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Faulted;
        }
    }

    void IValueTaskSource<RecordMetadata>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        var resumption = Resumption.Capture(continuation, state, flags);
        lock (_gate)
        {
            ref var waiter = ref WaiterOf(token);
            if (!waiter.IsSettled)
            {
                waiter.Resumption = resumption;
                return;
            }
        }
        resumption.Resume();
    }

    private void Settle(int first, int count, Offset baseOffset, long logAppendTimeMs, OrleansLogException? error)
    {
        Waiter[] waiters;
        int length;
        lock (_gate)
        {
            (waiters, length) = (_waiters!, _count);
            for (var i = 0; i < length; i++)
            {
                ref var waiter = ref waiters[i];
                if (waiter.IndexInBatch < first || waiter.IndexInBatch >= first + count) continue;
                waiter.IsSettled = true;
                waiter.Offset = baseOffset == Offset.None ? Offset.None : baseOffset + (waiter.IndexInBatch - first);
                waiter.LogAppendTimeMs = logAppendTimeMs;
                waiter.Error = error;
                _settled++;
            }
            // Nobody gives the array back while it is being walked below.
            _seen--;
        }
        for (var i = 0; i < length; i++) waiters[i].Announce(first, count);
        lock (_gate)
        {
            if (++_seen == _settled && _settled == _count) ReturnWaiters();
        }
    }

    private ref Waiter WaiterOf(short token)
    {
        if (_waiters is null) throw new InvalidOperationException("A record's result can be taken once.");
        return ref _waiters[(ushort)token];
    }

    private void Grow()
    {
        var larger = ArrayPool<Waiter>.Shared.Rent(_count * 2);
        _waiters.AsSpan(0, _count).CopyTo(larger);
        ReturnWaiters();
        _waiters = larger;
    }

    private void ReturnWaiters()
    {
        ArrayPool<Waiter>.Shared.Return(_waiters!, clearArray: true);
        _waiters = null;
    }

    private struct Waiter
    {
        public int IndexInBatch;
        public bool IsSettled;
        public Offset Offset;
        public long LogAppendTimeMs;
        public OrleansLogException? Error;
        public Activity? Activity;
        public Resumption Resumption;

        public void Announce(int first, int count)
        {
            if (IndexInBatch < first || IndexInBatch >= first + count) return;
            if (Activity is not null) Telemetry.ProducerTelemetry.End(Activity, Offset, Error);
            Resumption.ResumeIfSet();
        }
    }
}
