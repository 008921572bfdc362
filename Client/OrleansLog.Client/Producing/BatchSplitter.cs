using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Producing;

/// <summary>Makes two batches of one that the broker found too large.</summary>
internal static class BatchSplitter
{
    public static IReadOnlyList<ProducerBatch> Split(ProducerBatch whole, ProducerState producer)
    {
        // Uncompressed bytes are wanted: built again without a compressor they are the same records.
        var bytes = whole.Builder.Build().Span;
        RecordBatchHeader.TryRead(bytes, out var header);
        var reader = new RecordReader(header, bytes[RecordBatchHeader.Size..]);
        var half = whole.RecordCount / 2;
        var first = Take(ref reader, half, whole, producer);
        var second = Take(ref reader, whole.RecordCount - half, whole, producer);
        first.Inherit(whole, 0);
        second.Inherit(whole, half);
        first.ReservedBytes = whole.ReservedBytes;
        whole.ReservedBytes = 0;
        return [first, second];
    }

    private static ProducerBatch Take(ref RecordReader reader, int count, ProducerBatch whole, ProducerState producer)
    {
        var part = new ProducerBatch(whole.Queue, producer.Builders.Rent(), whole.Sequence, whole.CreatedMs);
        while (count-- > 0 && reader.TryRead(out var record))
        {
            part.Builder.TryAppend(record.Timestamp, record.Key, record.KeyIsNull, record.Value, record.ValueIsNull, record.CopyHeaders());
        }
        return part;
    }
}
