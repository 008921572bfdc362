using OrleansLog.Client.Consuming;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Sharing;

/// <summary>Makes records of what was acquired.</summary>
internal sealed class ShareRecords<TKey, TValue>(ShareConsumerOptions options, IDeserializer<TKey> keyDeserializer, IDeserializer<TValue> valueDeserializer)
{
    private readonly ConsumerOptions _reading = new() { CheckCrcs = options.CheckCrcs };

    /// <summary>
    /// The records of one partition that were acquired. Each is to be asked for in its turn, and may throw what a deserializer
    /// threw. Where there is no record at an offset that was acquired, the broker is told so.
    /// </summary>
    public List<Func<ShareRecord<TKey, TValue>>> Read(ShareLine line, TopicPartition partition, ShareFetchResponse.PartitionData data)
    {
        var records = new List<Func<ShareRecord<TKey, TValue>>>();
        if (data.AcquiredRecords.Count == 0 || data.Records is not { } bytes) return records;
        using var unpacked = new PooledBufferWriter();
        var first = new Offset(data.AcquiredRecords[0].FirstOffset);
        var scan = new RecordScan(new FetchedBatch(new PartitionState(partition), 0, first, first, bytes, ResponseFrame.None, -1).For(_reading, unpacked));
        var acquired = new AcquiredOffsets(data.AcquiredRecords, offset => line.Say(partition, offset, ShareAcknowledgeType.Gap));
        while (scan.TryRead(out var record))
        {
            if (acquired.Reach(record.Offset) is { } deliveryCount) records.Add(Read(line, scan, record, deliveryCount));
        }
        acquired.End();
        return records;
    }

    private Func<ShareRecord<TKey, TValue>> Read(ShareLine line, RecordScan scan, in ScannedRecord record, short deliveryCount)
    {
        var (partition, offset) = (scan.Fetched.Partition, record.Offset);
        try
        {
            var read = new ShareRecord<TKey, TValue>(line, ToRecord(scan, record), deliveryCount);
            return () => read;
        }
        catch (Exception unreadable) when (unreadable is not OrleansLogException)
        {
            line.Say(partition, offset, ShareAcknowledgeType.Release);
            return () => throw unreadable;
        }
    }

    private ConsumedRecord<TKey, TValue> ToRecord(RecordScan scan, in ScannedRecord record) => new()
    {
        TopicPartition = scan.Fetched.Partition,
        Offset = new Offset(record.Offset),
        TimestampMs = record.TimestampMs,
        Key = record.HasKey ? keyDeserializer.Deserialize(record.Key) : default,
        HasKey = record.HasKey,
        Value = record.HasValue ? valueDeserializer.Deserialize(record.Value) : default,
        IsTombstone = !record.HasValue,
        Headers = scan.ReadHeaders(record),
    };

    /// <summary>Walks the acquired ranges beside the records, and tells of offsets without one.</summary>
    private sealed class AcquiredOffsets(List<ShareFetchResponse.AcquiredRecords> ranges, Action<long> isMissing)
    {
        private int _range;
        private long _next = ranges[0].FirstOffset;

        /// <summary>How often the record at an offset was delivered; null where it was not acquired.</summary>
        public short? Reach(long offset)
        {
            SkipTo(offset);
            if (_range == ranges.Count || offset < ranges[_range].FirstOffset) return null;
            _next = offset + 1;
            return ranges[_range].DeliveryCount;
        }

        public void End() => SkipTo(long.MaxValue);

        private void SkipTo(long offset)
        {
            while (_range < ranges.Count)
            {
                for (_next = Math.Max(_next, ranges[_range].FirstOffset); _next < offset && _next <= ranges[_range].LastOffset; _next++) isMissing(_next);
                if (offset <= ranges[_range].LastOffset) return;
                _range++;
            }
        }
    }
}
