using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    /// <summary>
    /// Finds whole batches from the one that holds <paramref name="from"/> (which may begin before it) up to
    /// <paramref name="limit"/>, in one segment. Any thread.
    /// </summary>
    /// <param name="from">The first offset wanted.</param>
    /// <param name="maxBytes">The most bytes wanted.</param>
    /// <param name="limit">No record at or past this offset is in the result: the reader's high watermark.</param>
    /// <param name="minOneBatch">Whether the first batch comes whole even if it is larger than <paramref name="maxBytes"/>.</param>
    public LogRead Read(Offset from, int maxBytes, Offset limit, bool minOneBatch = true)
    {
        var end = LogEndOffset;
        if (from < LogStartOffset || from > end) return new LogRead(ErrorCode.OffsetOutOfRange, default);
        limit = Offset.Min(limit, end);
        if (from >= limit) return LogRead.Empty;
        try
        {
            return Read(SegmentOf(Volatile.Read(ref _segments), from), from, maxBytes, limit, minOneBatch);
        }
        catch (IOException)
        {
            return new LogRead(ErrorCode.KafkaStorageError, default);
        }
    }

    private static LogRead Read(Segment segment, Offset from, int maxBytes, Offset limit, bool minOneBatch)
    {
        var size = segment.Size;
        var end = limit >= segment.NextOffset ? size : segment.PositionOf(limit, size);
        var position = segment.PositionOf(from, end);
        if (end - position > maxBytes) end = segment.EndOfBatches(position, position + maxBytes, end, minOneBatch);
        return new LogRead(ErrorCode.None, new LogSlice(segment.Log, position, end - position));
    }

    private static Segment SegmentOf(Segment[] segments, Offset offset)
    {
        int low = 0, high = segments.Length;
        while (high - low > 1)
        {
            var middle = (low + high) >>> 1;
            if (segments[middle].BaseOffset <= offset) low = middle;
            else high = middle;
        }

        return segments[low];
    }

    /// <summary>
    /// The first record whose timestamp is at least <paramref name="timestampMs"/> (KIP-32, KIP-33), or null. Records of
    /// a compressed batch are looked at if <paramref name="compressors"/> knows the codec; otherwise the result is the
    /// first offset of the batch and its latest timestamp. Any thread.
    /// </summary>
    /// <exception cref="StorageException">The files cannot be read.</exception>
    public TimestampedOffset? FindByTimestamp(long timestampMs, Func<CompressionType, IRecordCompressor?>? compressors = null) =>
        FindMaxTimestamp(compressors) is { } max && max.TimestampMs >= timestampMs ? max : null;

    /// <summary>The record with the latest timestamp, or null when the log is empty. Any thread.</summary>
    /// <inheritdoc cref="FindByTimestamp" path="/exception"/>
    public TimestampedOffset? FindMaxTimestamp(Func<CompressionType, IRecordCompressor?>? compressors = null) =>
        _segments.Length == 0 ? null : new TimestampedOffset(LogEndOffset - 1L, _segments[^1].MaxTimestamp);

    /// <summary>
    /// Where a leader epoch ends in this log: the largest epoch not above <paramref name="epoch"/> and the offset after
    /// its last record (KIP-101, KIP-279). Any thread.
    /// </summary>
    public EpochEndOffset EndOffsetFor(LeaderEpoch epoch) => Epochs.EndOffsetFor(epoch, LogEndOffset);

    /// <summary>The epoch of the last record; <see cref="LeaderEpoch.None"/> in a log without any. Any thread.</summary>
    public LeaderEpoch LatestEpoch => Epochs.Latest;

    private LeaderEpochs Epochs => Volatile.Read(ref _epochs);
}
