using System.Diagnostics;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>
/// Records of one partition that travel together, from their first append to their acknowledgement. Appended to under
/// its partition's lock; once taken for sending it belongs to the sender until it is settled.
/// </summary>
internal sealed class ProducerBatch(PartitionQueue queue, RecordBatchBuilder builder, long sequence, long createdMs)
{
    private readonly Lock _gate = new();
    private List<(int First, Delivery Delivery)>? _deliveries;
    private TaskCompletionSource? _settled;
    private bool _isSettled;

    public PartitionQueue Queue => queue;

    public RecordBatchBuilder Builder => builder;

    /// <summary>Its place among the batches of its partition; a batch that is retried goes back to that place.</summary>
    public long Sequence => sequence;

    /// <summary>Where its records began in the batch that it was split from; 0 for one that is whole.</summary>
    public int FirstOfWhole { get; private set; }

    /// <summary>Under which identity its records are numbered; none while they are not.</summary>
    public ProducerIdentity Identity { get; private set; } = ProducerIdentity.None;

    /// <summary>When it was begun, in milliseconds on the producer's clock.</summary>
    public long CreatedMs => createdMs;

    /// <summary>How many bytes of the producer's buffer it has taken.</summary>
    public long ReservedBytes { get; set; }

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether an attempt ended so that its records may be stored all the same.</summary>
    public bool MayBeStored { get; set; }

    /// <summary>The bytes to send, once it is built.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public int RecordCount => builder.RecordCount;

    /// <summary>The span of the first awaited record that has one.</summary>
    public Activity? Trace { get; private set; }

    /// <summary>Makes the record appended last awaitable.</summary>
    public ValueTask<RecordMetadata> AwaitLast(Activity? activity)
    {
        _deliveries ??= [];
        Trace ??= activity;
        if (_deliveries.Count == 0 || _deliveries[^1].Delivery.IsFull) _deliveries.Add((0, new Delivery(queue.Partition)));
        return _deliveries[^1].Delivery.Add(builder.RecordCount - 1, activity);
    }

    /// <summary>Takes over the awaited records and the numbers of the batch that this one is a part of.</summary>
    /// <param name="whole">The batch that was split.</param>
    /// <param name="first">The index there of this batch's first record.</param>
    public void Inherit(ProducerBatch whole, int first)
    {
        _deliveries = whole._deliveries?.ConvertAll(delivery => (delivery.First + first, delivery.Delivery));
        FirstOfWhole = whole.FirstOfWhole + first;
        if (whole.Identity != ProducerIdentity.None)
            Number(whole.Identity, SequenceNumber.Advance(whole.Builder.BaseSequence, first));
    }

    /// <summary>Numbers the records, anew if they were numbered before.</summary>
    public void Number(ProducerIdentity identity, int baseSequence)
    {
        Identity = identity;
        (builder.ProducerId, builder.ProducerEpoch, builder.BaseSequence) = (identity.ProducerId, identity.Epoch, baseSequence);
        Bytes = default;
    }

    /// <summary>Whether it comes before another of its partition.</summary>
    public bool IsBefore(ProducerBatch other) =>
        Sequence < other.Sequence || (Sequence == other.Sequence && FirstOfWhole < other.FirstOfWhole);

    public void Build(IRecordCompressor? compressor)
    {
        if (Bytes.IsEmpty) Bytes = builder.Build(compressor);
    }

    public void Succeed(Offset baseOffset, long logAppendTimeMs)
    {
        foreach (var (first, delivery) in _deliveries ?? []) delivery.Succeed(first, RecordCount, baseOffset, logAppendTimeMs);
        Settle();
    }

    public void Fail(OrleansLogException error)
    {
        foreach (var (first, delivery) in _deliveries ?? []) delivery.Fail(first, RecordCount, error);
        Settle();
    }

    /// <summary>Completes when the batch is acknowledged or given up.</summary>
    public Task WhenSettled()
    {
        lock (_gate)
        {
            if (_isSettled) return Task.CompletedTask;
            return (_settled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Settles a batch that was split when its parts are settled.</summary>
    public async Task SettleWithAsync(IEnumerable<ProducerBatch> parts)
    {
        foreach (var part in parts) await part.WhenSettled();
        Settle();
    }

    private void Settle()
    {
        lock (_gate) _isSettled = true;
        _settled?.TrySetResult();
    }
}
