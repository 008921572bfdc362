using System.Runtime.CompilerServices;
using OrleansLog.Protocol;

namespace OrleansLog.Storage.Producers;

/// <summary>
/// What a partition remembers of one idempotent producer. A producer has at most five batches on their way, so that any
/// batch it may send again is among its last five here.
/// </summary>
internal struct ProducerState
{
    /// <summary>How many batches are remembered.</summary>
    public const int BatchesMax = 5;

    private LastBatches _batches;
    private int _written;

    public ProducerState()
    {
    }

    public required long ProducerId { get; init; }

    public short Epoch { get; private set; }

    /// <summary>The coordinator that ended its last transaction; -1 before there was one.</summary>
    public int CoordinatorEpoch { get; set; } = -1;

    /// <summary>Where its open transaction begins.</summary>
    public Offset TransactionStart { get; set; } = Offset.None;

    /// <summary>Where its last marker lies.</summary>
    public Offset LastMarker { get; set; } = Offset.None;

    /// <summary>The latest timestamp of its last batch, markers included, in milliseconds since 1970; -1 when that is not known.</summary>
    public long LastTimestampMs { get; set; } = Protocol.Records.RecordBatchHeader.NoTimestamp;

    public readonly bool IsInTransaction => TransactionStart != Offset.None;

    /// <summary>When it last appended, or was read from the disk, in milliseconds on a clock that never jumps.</summary>
    public long LastActiveMs { get; set; }

    /// <summary>How many batches are remembered of the present epoch.</summary>
    public readonly int Count => Math.Min(_written, BatchesMax);

    /// <summary>One of the remembered batches, 0 for the oldest.</summary>
    public readonly ProducedBatch this[int index] => _batches[(_written - Count + index) % BatchesMax];

    /// <summary>Whether a batch with this first sequence number follows on the last one, or begins the epoch.</summary>
    public readonly bool IsNext(int baseSequence) =>
        Count == 0 ? baseSequence == 0 : Protocol.Records.SequenceNumber.Advance(this[Count - 1].LastSequence, 1) == baseSequence;

    /// <summary>Finds the remembered batch with exactly these sequence numbers.</summary>
    public readonly bool TryFind(int baseSequence, int lastSequence, out ProducedBatch found)
    {
        for (var i = 0; i < Count; i++)
        {
            found = this[i];
            if (found.BaseSequence == baseSequence && found.LastSequence == lastSequence) return true;
        }

        found = default;
        return false;
    }

    /// <summary>Remembers a batch as the latest; those of another epoch are forgotten.</summary>
    public void Add(short epoch, in ProducedBatch batch)
    {
        BeginEpoch(epoch);
        LastTimestampMs = batch.MaxTimestampMs;
        if (batch.BaseSequence == Protocol.Records.RecordBatchHeader.NoSequence) return;
        _batches[_written % BatchesMax] = batch;
        // Counts on without ever overflowing: beyond the five only the remainder matters.
        _written = _written < 2 * BatchesMax - 1 ? _written + 1 : BatchesMax;
    }

    /// <summary>Forgets the batches of an earlier epoch.</summary>
    public void BeginEpoch(short epoch)
    {
        if (epoch != Epoch) _written = 0;
        Epoch = epoch;
    }

    [InlineArray(BatchesMax)]
    private struct LastBatches
    {
        private ProducedBatch _first;
    }
}
