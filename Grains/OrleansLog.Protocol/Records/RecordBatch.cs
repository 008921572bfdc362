using System.Buffers.Binary;

namespace OrleansLog.Protocol.Records;

/// <summary>
/// What a broker does to a record batch without looking at its records: check it, and write the few fields that are
/// the broker's. All methods work in place on the bytes of one whole batch and hold on to nothing.
/// </summary>
public static class RecordBatch
{
    /// <summary>
    /// Whether these bytes are exactly one batch that nothing has damaged since its CRC was computed. This is the check
    /// for what was already accepted once, such as a log that is being recovered.
    /// </summary>
    /// <returns>
    /// <see cref="ErrorCode.None"/>, <see cref="ErrorCode.CorruptMessage"/>, or <see cref="ErrorCode.InvalidRecord"/>
    /// for a format before version 2.
    /// </returns>
    public static ErrorCode CheckIntegrity(ReadOnlySpan<byte> batch) => CheckIntegrity(batch, out _);

    /// <inheritdoc cref="CheckIntegrity(ReadOnlySpan{byte})"/>
    public static ErrorCode CheckIntegrity(ReadOnlySpan<byte> batch, out RecordBatchHeader header)
    {
        var error = RecordBatchHeader.TryRead(batch, out header);
        if (error != ErrorCode.None)
        {
            return error;
        }
        var isIntact = header.SizeInBytes == batch.Length && header.Crc == ComputeCrc(batch);
        return isIntact ? ErrorCode.None : ErrorCode.CorruptMessage;
    }

    /// <summary>
    /// Whether these bytes are exactly one intact batch as a producer may send it: offsets without gaps, at least one
    /// record, a known compression, create time, and no control records. The records themselves are not read.
    /// </summary>
    /// <returns>The code that Kafka answers a produce of such a batch with.</returns>
    public static ErrorCode Validate(ReadOnlySpan<byte> batch) => Validate(batch, out _);

    /// <inheritdoc cref="Validate(ReadOnlySpan{byte})"/>
    public static ErrorCode Validate(ReadOnlySpan<byte> batch, out RecordBatchHeader header)
    {
        var error = CheckIntegrity(batch, out header);
        return error != ErrorCode.None ? error : ValidateHeader(header);
    }

    /// <summary>
    /// Gives the records their place in the log. These fields lie outside the CRC, which stays valid.
    /// </summary>
    public static void AssignOffset(Span<byte> batch, Offset baseOffset, LeaderEpoch epoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.BaseOffsetAt..], baseOffset.Value);
        BinaryPrimitives.WriteInt32BigEndian(batch[RecordBatchHeader.PartitionLeaderEpochAt..], epoch.Value);
    }

    /// <summary>
    /// Gives every record the time at which it is appended (<c>message.timestamp.type=LogAppendTime</c>), in
    /// milliseconds since 1970 UTC. The CRC covers these fields and is computed anew.
    /// </summary>
    public static void SetLogAppendTime(Span<byte> batch, long timestampMs)
    {
        var attributes = batch[RecordBatchHeader.AttributesAt..];
        var withFlag = BinaryPrimitives.ReadInt16BigEndian(attributes) | RecordBatchHeader.LogAppendTimeFlag;
        BinaryPrimitives.WriteInt16BigEndian(attributes, (short)withFlag);
        BinaryPrimitives.WriteInt64BigEndian(batch[RecordBatchHeader.MaxTimestampAt..], timestampMs);
        WriteCrc(batch);
    }

    /// <summary>
    /// Writes the header of a batch whose records stand behind it already, with the length and the CRC that they give it.
    /// </summary>
    /// <param name="batch">Exactly one batch; the first bytes, up to <see cref="RecordBatchHeader.Size"/>, are written over.</param>
    /// <param name="header">All other fields.</param>
    public static void WriteHeader(Span<byte> batch, in RecordBatchHeader header)
    {
        (header with { BatchLength = batch.Length - RecordBatchHeader.LengthPrefixSize }).Write(batch);
        WriteCrc(batch);
    }

    internal static void WriteCrc(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(batch[RecordBatchHeader.CrcAt..], ComputeCrc(batch));

    private static uint ComputeCrc(ReadOnlySpan<byte> batch) => Crc32C.Compute(batch[RecordBatchHeader.AttributesAt..]);

    private static ErrorCode ValidateHeader(in RecordBatchHeader header)
    {
        if (header.RecordCount <= 0 || header.LastOffsetDelta != header.RecordCount - 1 || header.IsControl)
        {
            return ErrorCode.InvalidRecord;
        }
        if (header.ProducerId != RecordBatchHeader.NoProducerId && header.BaseSequence < 0)
        {
            return ErrorCode.InvalidRecord;
        }
        // When tombstones may go is for compaction to say.
        if (header.DeleteHorizonMs is not null)
        {
            return ErrorCode.InvalidRecord;
        }
        if (header.Compression > CompressionType.Zstd)
        {
            return ErrorCode.UnsupportedCompressionType;
        }
        return header.TimestampType == TimestampType.CreateTime ? ErrorCode.None : ErrorCode.InvalidTimestamp;
    }
}
