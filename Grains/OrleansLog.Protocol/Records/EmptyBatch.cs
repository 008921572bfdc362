namespace OrleansLog.Protocol.Records;

/// <summary>
/// A batch without records stands in a compacted log for offsets whose records are gone, so that offsets and leader epochs
/// go on from batch to batch without a gap. Readers pass over it, as over those that Kafka leaves behind for its producers'
/// sake (https://kafka.apache.org/documentation/#recordbatch).
/// </summary>
public static class EmptyBatch
{
    /// <summary>Bytes of an empty batch.</summary>
    public const int Size = RecordBatchHeader.Size;

    /// <summary>Writes one that stands for <paramref name="from"/>..<paramref name="to"/>, exclusive.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    /// <param name="from">The first offset.</param>
    /// <param name="to">The offset after the last, at most 2^31 further on.</param>
    /// <param name="epoch">The leader epoch of all that was there.</param>
    public static void Write(Span<byte> destination, Offset from, Offset to, LeaderEpoch epoch) => Write(destination, new RecordBatchHeader
    {
        BaseOffset = from,
        LastOffsetDelta = checked((int)(to - from - 1)),
        PartitionLeaderEpoch = epoch,
        BaseTimestamp = RecordBatchHeader.NoTimestamp,
        MaxTimestamp = RecordBatchHeader.NoTimestamp,
        ProducerId = RecordBatchHeader.NoProducerId,
        ProducerEpoch = RecordBatchHeader.NoProducerEpoch,
        BaseSequence = RecordBatchHeader.NoSequence,
        BatchLength = Size - RecordBatchHeader.LengthPrefixSize,
        Magic = RecordBatchHeader.CurrentMagic,
    });

    /// <summary>
    /// Writes one in the place of a batch whose records are gone, that still tells what its producer has sent: it is no part of
    /// a transaction any more.
    /// </summary>
    public static void WriteInPlaceOf(Span<byte> destination, in RecordBatchHeader batch) => Write(destination, new RecordBatchHeader
    {
        BaseOffset = batch.BaseOffset,
        LastOffsetDelta = batch.LastOffsetDelta,
        PartitionLeaderEpoch = batch.PartitionLeaderEpoch,
        BaseTimestamp = batch.MaxTimestamp,
        MaxTimestamp = batch.MaxTimestamp,
        ProducerId = batch.ProducerId,
        ProducerEpoch = batch.ProducerEpoch,
        BaseSequence = batch.BaseSequence,
        BatchLength = Size - RecordBatchHeader.LengthPrefixSize,
        Magic = RecordBatchHeader.CurrentMagic,
    });

    private static void Write(Span<byte> destination, in RecordBatchHeader header)
    {
        header.Write(destination);
        RecordBatch.WriteCrc(destination[..Size]);
    }
}
