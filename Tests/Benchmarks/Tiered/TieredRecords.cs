using OrleansLog.Client;
using OrleansLog.Protocol;

namespace OrleansLog.Benchmarks.Tiered;

/// <summary>Records whose bytes follow from their offsets, so that a reader can tell each from every other.</summary>
internal static class TieredRecords
{
    public const int ValueBytes = 1024;

    private const int Period = 4093;
    private static readonly byte[] Pattern = NewPattern();

    /// <summary>Writes so many records to a partition that holds none, in order.</summary>
    public static async Task WriteAsync(OrleansLogClient client, string topic, long records)
    {
        await using var producer = client.CreateProducer();
        var value = new byte[ValueBytes];
        for (var offset = 0L; offset < records; offset++)
        {
            Fill(value, offset);
            await producer.PostAsync(topic, new OutgoingRecord { Value = value, Partition = 0 });
        }

        await producer.FlushAsync();
    }

    /// <summary>Reads them all from the first on.</summary>
    /// <returns>How many bytes of values there were.</returns>
    /// <exception cref="InvalidDataException">One is missing, twice, elsewhere, or other than it was written.</exception>
    public static async Task<long> ReadAsync(OrleansLogClient client, string topic, long records)
    {
        await using var consumer = client.CreateConsumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new TopicPartitionOffset(new TopicPartition(topic, 0), Offset.Zero)]);
        var expected = new byte[ValueBytes];
        var next = 0L;
        await foreach (var batch in consumer.ConsumeBatchesAsync())
        {
            foreach (var record in batch)
            {
                Fill(expected, next);
                if (record.Offset.Value != next || !record.Value.SequenceEqual(expected))
                {
                    throw new InvalidDataException($"offset {record.Offset} came where {next} should, or is not what was written there");
                }

                next++;
            }

            if (next >= records)
            {
                break;
            }
        }

        return next * ValueBytes;
    }

    private static void Fill(byte[] value, long offset)
    {
        BitConverter.TryWriteBytes(value, offset);
        Pattern.AsSpan((int)(offset % Period), ValueBytes - sizeof(long)).CopyTo(value.AsSpan(sizeof(long)));
    }

    private static byte[] NewPattern()
    {
        var pattern = new byte[Period + ValueBytes];
        new Random(1).NextBytes(pattern);
        return pattern;
    }
}
