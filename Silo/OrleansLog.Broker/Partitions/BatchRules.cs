using OrleansLog.Compression;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Broker.Partitions;

/// <summary>What a produced batch must be like. Everything that is refused here has left no trace in the log.</summary>
internal static class BatchRules
{
    private const int DecompressedBytesMax = 128 << 20;

    /// <summary>Checks each batch once, its CRC included, and stamps the append time where the topic asks for that.</summary>
    public static ErrorCode Check(Span<byte> batches, PartitionSettings settings, long nowMs)
    {
        if (batches.IsEmpty)
            return ErrorCode.InvalidRecord;
        while (batches.Length > 0)
        {
            var error = RecordBatchHeader.TryRead(batches, out var header);
            if (error != ErrorCode.None)
                return error;
            if (header.SizeInBytes > batches.Length)
                return ErrorCode.CorruptMessage;
            var batch = batches[..header.SizeInBytes];
            error = CheckBatch(batch, header, settings, nowMs);
            if (error != ErrorCode.None)
                return error;
            if (settings.StampsAppendTime)
                RecordBatch.SetLogAppendTime(batch, nowMs);
            batches = batches[header.SizeInBytes..];
        }
        return ErrorCode.None;
    }

    private static ErrorCode CheckBatch(
        ReadOnlySpan<byte> batch, in RecordBatchHeader header, PartitionSettings settings, long nowMs)
    {
        if (header.SizeInBytes > settings.BatchBytesMax)
            return ErrorCode.MessageTooLarge;
        var error = RecordBatch.Validate(batch);
        if (error != ErrorCode.None)
            return error;
        // Control batches are the brokers' own; a transaction is somebody's.
        if (header.IsControl || (header.IsTransactional && header.ProducerId < 0))
            return ErrorCode.InvalidRecord;
        if (settings.NeedsKeys && !HasKeys(batch, header))
            return ErrorCode.InvalidRecord;
        return CheckTime(header, settings, nowMs);
    }

    // The one case in which a broker looks at records: compaction could do nothing with one that has no key.
    private static bool HasKeys(ReadOnlySpan<byte> batch, in RecordBatchHeader header)
    {
        try
        {
            if (header.Compression == CompressionType.None)
                return HasKeys(header, batch[RecordBatchHeader.Size..]);
            using var records = new PooledBufferWriter();
            CompressionCodecs.For(header.Compression).Decompress(batch[RecordBatchHeader.Size..], records, DecompressedBytesMax);
            return HasKeys(header, records.WrittenSpan);
        }
        catch (CorruptRecordException)
        {
            return false;
        }
    }

    private static bool HasKeys(in RecordBatchHeader header, ReadOnlySpan<byte> records)
    {
        var slicer = new RecordSlicer(records, header.RecordCount);
        while (slicer.MoveNext())
        {
            if (slicer.KeyLength < 0)
                return false;
        }
        return true;
    }

    private static ErrorCode CheckTime(in RecordBatchHeader header, PartitionSettings settings, long nowMs)
    {
        if (settings.StampsAppendTime || header.MaxTimestamp < 0)
            return ErrorCode.None;
        var tooLate = header.MaxTimestamp - nowMs > settings.TimestampAfterMaxMs;
        var tooEarly = nowMs - header.MaxTimestamp > settings.TimestampBeforeMaxMs;
        return tooLate || tooEarly ? ErrorCode.InvalidTimestamp : ErrorCode.None;
    }
}
