using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    /// <summary>The epoch of the last record; <see cref="LeaderEpoch.None"/> in a log without any.</summary>
    public LeaderEpoch LatestEpoch => Epochs.Latest;

    /// <summary>
    /// Finds whole batches from the one that holds <paramref name="from"/> (which may begin before it) up to
    /// <paramref name="limit"/>, in one segment. Bytes from before the log was opened are checked the first time.
    /// Allocates nothing.
    /// </summary>
    /// <param name="from">The first offset wanted.</param>
    /// <param name="maxBytes">The most bytes wanted.</param>
    /// <param name="limit">No record at or past this offset is in the result: the reader's high watermark.</param>
    /// <param name="minOneBatch">Whether the first batch comes whole even if it is larger than <paramref name="maxBytes"/>.</param>
    /// <param name="skipsEmpty">
    /// Whether batches that compaction has emptied may be left out at the beginning, if others follow: for readers of records.
    /// </param>
    public LogRead Read(Offset from, int maxBytes, Offset limit, bool minOneBatch = true, bool skipsEmpty = false)
    {
        var end = LogEndOffset;
        if (from < LogStartOffset || from > end) return new LogRead(ErrorCode.OffsetOutOfRange, default);
        limit = Offset.Min(limit, end);
        if (from >= limit) return default;
        while (true)
        {
            var segments = Volatile.Read(ref _segments);
            try
            {
                if (skipsEmpty && Options.Compaction is not null) from = SkipEmpty(segments, from, limit);
                return ReadAt(segments, from, maxBytes, limit, minOneBatch);
            }
            catch (IOException) when (from < LogStartOffset)
            {
                return new LogRead(ErrorCode.OffsetOutOfRange, default);
            }
            catch (IOException) when (segments != Volatile.Read(ref _segments))
            {
                // What was found there is in another segment by now.
            }
            catch (IOException e)
            {
                return new LogRead(ErrorCode.KafkaStorageError, default, Failure: e);
            }
        }
    }

    /// <summary>
    /// The first record whose timestamp is at least <paramref name="timestampMs"/> (KIP-32, KIP-33), or null. The records
    /// of a compressed batch are looked at if <paramref name="compressors"/> knows the codec; otherwise the answer is the
    /// batch's first offset with its latest timestamp.
    /// </summary>
    /// <exception cref="IOException">The files cannot be read.</exception>
    public TimestampedOffset? FindByTimestamp(
        long timestampMs, Func<CompressionType, IRecordCompressor?>? compressors = null) =>
        LookUp(segments => new TimestampLookup(compressors).FindFirst(segments, LogStartOffset, timestampMs));

    /// <summary>The first record with the latest timestamp of all, or null when no record has one.</summary>
    /// <inheritdoc cref="FindByTimestamp" path="/exception"/>
    public TimestampedOffset? FindMaxTimestamp(Func<CompressionType, IRecordCompressor?>? compressors = null) =>
        LookUp(segments => new TimestampLookup(compressors).FindLatest(segments, LogStartOffset));

    /// <summary>
    /// Where a leader epoch ends in this log: the largest epoch not above <paramref name="epoch"/> and the offset after
    /// its last record (KIP-101, KIP-279).
    /// </summary>
    public EpochEndOffset EndOffsetFor(LeaderEpoch epoch) => Epochs.EndOffsetFor(epoch, LogEndOffset);

    // A file that is gone was no failure if its segment was deleted meanwhile: the lookup begins again without it.
    private T LookUp<T>(Func<Segment[], T> find)
    {
        while (true)
        {
            var segments = Volatile.Read(ref _segments);
            try
            {
                return find(segments);
            }
            catch (IOException) when (segments != Volatile.Read(ref _segments))
            {
            }
        }
    }

    // The first offset from which on there is a batch with records; the one asked for if none is below the limit, or if it is
    // not known what is between.
    private static Offset SkipEmpty(Segment[] segments, Offset from, Offset limit)
    {
        var expected = Offset.None;
        for (var number = Math.Max(0, NumberOf(segments, from)); number < segments.Length && segments[number].BaseOffset < limit; number++)
        {
            var segment = segments[number];
            var size = segment.Size;
            var found = segment.FirstWithRecords(from <= segment.BaseOffset ? 0 : segment.PositionOf(from, size), size);
            if (segment.Refused.Length > 0 || (expected != Offset.None && expected != segment.BaseOffset)) return from;
            if (found is { } offset) return offset < limit ? Offset.Max(from, offset) : from;
            expected = segment.NextOffset;
        }

        return from;
    }

    private LogRead ReadAt(Segment[] segments, Offset from, int maxBytes, Offset limit, bool minOneBatch)
    {
        var number = NumberOf(segments, from);
        if (number < 0 || from >= segments[number].NextOffset) return Missing(from, segments, number);
        var segment = segments[number];
        var size = segment.Size;
        var end = limit >= segment.NextOffset ? size : segment.PositionOf(limit, size);
        var position = segment.PositionOf(from, end);
        if (segment.RefusalOf(from) is { } refused) return new LogRead(ErrorCode.CorruptMessage, default, refused);
        if (position == size) return Missing(from, segments, number);
        if (end - position > maxBytes) end = segment.EndOfBatches(position, position + maxBytes, end, minOneBatch);
        end = segment.SoundEnd(position, end);
        return new LogRead(ErrorCode.None, new LogSlice(segment.Log, position, end - position));
    }

    // Offsets that were flushed and are in no segment.
    private LogRead Missing(Offset from, Segment[] segments, int number)
    {
        var next = number + 1 < segments.Length ? segments[number + 1].BaseOffset : LogEndOffset;
        var (path, size) = number < 0 ? (Directory, 0) : (segments[number].LogPath, segments[number].Size);
        return new LogRead(
            ErrorCode.CorruptMessage, default, new RefusedRange(path, size, 0, from, next, RefusedRange.IsMissing));
    }

    // The last segment that begins at or before an offset; -1 if there is none.
    private static int NumberOf(Segment[] segments, Offset offset)
    {
        int low = 0, high = segments.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (segments[middle].BaseOffset <= offset) low = middle + 1;
            else high = middle;
        }

        return low - 1;
    }
}
