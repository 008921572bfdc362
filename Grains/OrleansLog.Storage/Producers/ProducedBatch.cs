using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Producers;

/// <summary>One batch of an idempotent producer as far as it takes to know it again.</summary>
/// <param name="BaseSequence">The sequence number of its first record.</param>
/// <param name="LastSequence">The sequence number of its last record.</param>
/// <param name="BaseOffset">Where it lies.</param>
/// <param name="NextOffset">The offset after it.</param>
/// <param name="MaxTimestampMs">Its latest timestamp, in milliseconds since 1970.</param>
internal readonly record struct ProducedBatch(
    int BaseSequence, int LastSequence, Offset BaseOffset, Offset NextOffset, long MaxTimestampMs)
{
    public static ProducedBatch Of(in RecordBatchHeader batch) => new(
        batch.BaseSequence,
        SequenceNumber.Advance(batch.BaseSequence, batch.LastOffsetDelta),
        batch.BaseOffset,
        batch.NextOffset,
        batch.MaxTimestamp);
}
