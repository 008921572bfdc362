using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Broker.Partitions;

/// <summary>What a produced batch must be like. Everything that is refused here has left no trace in the log.</summary>
internal static class BatchRules
{
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
        return CheckTime(header, settings, nowMs);
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
