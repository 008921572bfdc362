using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Simulation.World;

/// <summary>The records of a run: each holds one number that no other record holds.</summary>
internal static class Records
{
    public static byte[] Batch(IEnumerable<long> values, long producerId = RecordBatchHeader.NoProducerId, int baseSequence = RecordBatchHeader.NoSequence)
    {
        using var builder = new RecordBatchBuilder(1 << 16)
        {
            ProducerId = producerId,
            ProducerEpoch = (short)(producerId < 0 ? -1 : 0),
            BaseSequence = baseSequence,
        };
        Span<byte> value = stackalloc byte[40];
        foreach (var number in values)
        {
            BinaryPrimitives.WriteInt64BigEndian(value, number);
            builder.TryAppend(number, [], true, value, false, []);
        }

        return builder.Build().ToArray();
    }

    public static List<(Offset Offset, long Value)> Read(ReadOnlySpan<byte> batches)
    {
        var records = new List<(Offset, long)>();
        foreach (var batch in new RecordBatchEnumerator(batches))
        {
            if (RecordBatch.CheckIntegrity(batch.Bytes) != ErrorCode.None) throw new InvalidDataException($"A damaged batch at {batch.Header.BaseOffset}");
            var reader = new RecordReader(batch.Header, batch.Records);
            while (reader.TryRead(out var record)) records.Add((record.Offset, BinaryPrimitives.ReadInt64BigEndian(record.Value)));
        }

        return records;
    }
}
