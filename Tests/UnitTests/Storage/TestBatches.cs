using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Storage;

/// <summary>Record batches as a producer sends them.</summary>
internal static class TestBatches
{
    /// <summary>One batch of records with these values, all at one time.</summary>
    public static byte[] Of(long timestampMs, params byte[][] values) =>
        Of([.. values.Select(value => (timestampMs, value))]);

    /// <summary>One batch of records at these times.</summary>
    public static byte[] At(params long[] timestampsMs) => Of([.. timestampsMs.Select(t => (t, new byte[] { 1, 2, 3 }))]);

    public static byte[] Of((long TimestampMs, byte[] Value)[] records, IRecordCompressor? compressor = null)
    {
        using var builder = new RecordBatchBuilder(sizeInBytesMax: 64 << 20);
        foreach (var (timestampMs, value) in records) builder.TryAppend(timestampMs, [], keyIsNull: true, value, false, []);
        return builder.Build(compressor).ToArray();
    }

    /// <summary>One batch of one record of random bytes.</summary>
    public static byte[] Random(Random random, int valueBytes, int records = 1)
    {
        var batch = new (long, byte[])[records];
        for (var i = 0; i < records; i++)
        {
            var value = new byte[valueBytes];
            random.NextBytes(value);
            batch[i] = (1_000_000 + random.Next(1000), value);
        }

        return Of(batch);
    }
}
