using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Simulation.World;

/// <summary>
/// The records of a run: each stands for one number that no other record stands for. The simulator's own hold theirs; those
/// of an application get one by their batch and their place.
/// </summary>
internal static class Records
{
    private const int ValueBytes = 40;

    private const int Keys = 7;
    private const int RecordsOfKeys = 30;

    /// <summary>The key of a record of a compacted topic: some in a row share a few, which nobody writes any more after that.</summary>
    public static int KeyOf(long value) => (int)(value / RecordsOfKeys * Keys + value % Keys);

    /// <summary>Whether it deletes its key.</summary>
    public static bool IsTombstone(long value) => value % 5 == 0;

    public static byte[] Batch(IEnumerable<long> values, long producerId = RecordBatchHeader.NoProducerId, int baseSequence = RecordBatchHeader.NoSequence,
        short epoch = 0, bool isTransactional = false, bool isKeyed = false)
    {
        using var builder = new RecordBatchBuilder(1 << 16)
        {
            ProducerId = producerId,
            ProducerEpoch = producerId < 0 ? RecordBatchHeader.NoProducerEpoch : epoch,
            BaseSequence = baseSequence,
            IsTransactional = isTransactional,
        };
        Span<byte> value = stackalloc byte[ValueBytes];
        Span<byte> key = stackalloc byte[sizeof(int)];
        foreach (var number in values)
        {
            BinaryPrimitives.WriteInt64BigEndian(value, number);
            BinaryPrimitives.WriteInt32BigEndian(key, KeyOf(number));
            if (!isKeyed) builder.TryAppend(number, [], true, value, false, []);
            else if (IsTombstone(number)) builder.TryAppend(number, key, false, [], true, []);
            else builder.TryAppend(number, key, false, value, false, []);
        }

        return builder.Build().ToArray();
    }

    public static List<(Offset Offset, long Value)> Read(ReadOnlySpan<byte> batches)
    {
        var records = new List<(Offset, long)>();
        foreach (var batch in new RecordBatchEnumerator(batches))
        {
            if (RecordBatch.CheckIntegrity(batch.Bytes) != ErrorCode.None) throw new InvalidDataException($"A damaged batch at {batch.Header.BaseOffset}");
            if (!TryReadOwn(batch.Header, batch.Records, records)) Number(batch.Header, records);
        }

        return records;
    }

    // The number is the record's timestamp too, which nobody else's would be.
    private static bool TryReadOwn(in RecordBatchHeader header, ReadOnlySpan<byte> bytes, List<(Offset, long)> records)
    {
        if (header.Compression != CompressionType.None) return false;
        var reader = new RecordReader(header, bytes);
        while (reader.TryRead(out var record))
        {
            if (!record.KeyIsNull && record.ValueIsNull)
            {
                records.Add((record.Offset, record.Timestamp));
                continue;
            }

            if (record.Value.Length != ValueBytes || BinaryPrimitives.ReadInt64BigEndian(record.Value) != record.Timestamp) return false;
            records.Add((record.Offset, record.Timestamp));
        }

        return true;
    }

    private static void Number(in RecordBatchHeader header, List<(Offset, long)> records)
    {
        for (var offset = header.BaseOffset; offset < header.NextOffset; offset += 1)
            records.Add((offset, ((long)header.Crc << 31) | (offset.Value & int.MaxValue)));
    }
}
