using System.Buffers;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage;

/// <summary>Finds records by time: by segment, then by time index, then batch by batch, then record by record.</summary>
/// <param name="compressors">Opens compressed batches, as far as it knows their codec.</param>
internal readonly struct TimestampLookup(Func<CompressionType, IRecordCompressor?>? compressors)
{
    /// <summary>What the records of one batch may decompress to.</summary>
    private const int DecompressedBytesMax = 128 << 20;

    /// <summary>The first record at or past <paramref name="start"/> whose timestamp is at least the given one.</summary>
    public TimestampedOffset? FindFirst(Segment[] segments, Offset start, long timestampMs)
    {
        foreach (var segment in segments)
        {
            if (segment.NextOffset <= start || segment.MaxTimestamp < timestampMs) continue;
            if (FindFirst(segment, start, timestampMs) is { } found) return found;
        }

        return null;
    }

    /// <summary>The first such record among the whole batches at the start of a file.</summary>
    public TimestampedOffset? FindFirst(ILogFile file, int length, Offset start, long timestampMs)
    {
        Span<byte> bytes = stackalloc byte[RecordBatchHeader.Size];
        for (var at = 0; at < length;)
        {
            file.ReadExactly(at, bytes);
            RecordBatchHeader.TryRead(bytes, out var header);
            if (header.MaxTimestamp >= timestampMs && FindFirst(file, at, header, start, timestampMs) is { } found) return found;
            at += header.SizeInBytes;
        }

        return null;
    }

    /// <summary>The first record at or past <paramref name="start"/> that has the latest timestamp of those.</summary>
    public TimestampedOffset? FindLatest(Segment[] segments, Offset start)
    {
        TimestampedOffset? latest = null;
        foreach (var segment in segments)
        {
            if (segment.NextOffset <= start || segment.MaxTimestamp <= (latest?.TimestampMs ?? RecordBatchHeader.NoTimestamp))
                continue;
            if (LatestIn(segment, start) is { } later && later.TimestampMs > (latest?.TimestampMs ?? RecordBatchHeader.NoTimestamp))
                latest = later;
        }

        return latest;
    }

    // The segment's own maximum may be among the records that were deleted.
    private TimestampedOffset? LatestIn(Segment segment, Offset start)
    {
        if (FindFirst(segment, start, segment.MaxTimestamp) is { } found) return found;
        TimestampedOffset? latest = null;
        while (FindFirst(segment, start, (latest?.TimestampMs ?? RecordBatchHeader.NoTimestamp) + 1) is { } later) latest = later;
        return latest;
    }

    private TimestampedOffset? FindFirst(Segment segment, Offset start, long timestampMs)
    {
        // Whatever came before the entry's batch is older than the entry says.
        var hint = segment.BaseOffset + (segment.Times.FloorByKey(timestampMs)?.Value ?? 0);
        var size = segment.Size;
        var from = segment.PositionOf(Offset.Max(hint, start), size);
        var walker = new BatchWalker(segment, from, size, stackalloc byte[BatchWalker.BlockSize]);
        while (walker.MoveNext())
        {
            if (walker.Header.MaxTimestamp < timestampMs) continue;
            if (FindFirst(segment.Log, walker.Position, walker.Header, start, timestampMs) is { } found) return found;
        }

        return null;
    }

    private TimestampedOffset? FindFirst(
        ILogFile log, int position, in RecordBatchHeader header, Offset start, long timestampMs)
    {
        if (header.TimestampType == TimestampType.LogAppendTime) return OfBatch(header, start);
        var compressor = header.Compression == CompressionType.None ? null : compressors?.Invoke(header.Compression);
        if (header.Compression != CompressionType.None && compressor is null) return OfBatch(header, start);
        var length = header.SizeInBytes - RecordBatchHeader.Size;
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            log.ReadExactly(position + RecordBatchHeader.Size, bytes.AsSpan(0, length));
            return FindFirst(header, Decompress(compressor, bytes.AsSpan(0, length)), start, timestampMs);
        }
        catch (CorruptRecordException)
        {
            // The producer's own doing, under a CRC that holds.
            return OfBatch(header, start);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static TimestampedOffset OfBatch(in RecordBatchHeader header, Offset start) =>
        new(Offset.Max(header.BaseOffset, start), header.MaxTimestamp);

    private static ReadOnlySpan<byte> Decompress(IRecordCompressor? compressor, ReadOnlySpan<byte> records)
    {
        if (compressor is null) return records;
        var decompressed = new ArrayBufferWriter<byte>();
        compressor.Decompress(records, decompressed, DecompressedBytesMax);
        return decompressed.WrittenSpan;
    }

    private static TimestampedOffset? FindFirst(
        in RecordBatchHeader header, ReadOnlySpan<byte> records, Offset start, long timestampMs)
    {
        var reader = new RecordReader(header, records);
        while (reader.TryRead(out var record))
            if (record.Timestamp >= timestampMs && record.Offset >= start)
                return new TimestampedOffset(record.Offset, record.Timestamp);
        return null;
    }
}
