using System.Text;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Support;

/// <summary>Record batches as producers make them.</summary>
internal static class Batches
{
    public static byte[] Of(params string[] values) => At(1_000, values);

    public static byte[] At(long timestampMs, params string[] values)
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        foreach (var value in values)
            builder.TryAppend(timestampMs, default, keyIsNull: true, Encoding.UTF8.GetBytes(value), valueIsNull: false, []);
        return builder.Build().ToArray();
    }

    /// <summary>A batch of records as <c>key=value</c>; without a value they are tombstones.</summary>
    public static byte[] Keyed(params string[] records) => Keyed(null, records);

    /// <inheritdoc cref="Keyed(string[])"/>
    public static byte[] Keyed(IRecordCompressor? compressor, string[] records)
    {
        using var builder = new RecordBatchBuilder(1 << 20);
        foreach (var record in records)
        {
            var parts = record.Split('=');
            builder.TryAppend(1_000, Encoding.UTF8.GetBytes(parts[0]), keyIsNull: false, Encoding.UTF8.GetBytes(parts[1]), parts[1].Length == 0, []);
        }
        return builder.Build(compressor).ToArray();
    }

    /// <summary>A batch with one record whose value has so many bytes.</summary>
    public static byte[] OfSize(int valueBytes) => Of(new string('x', valueBytes));

    /// <summary>The values in a run of batches, each as <c>offset:value</c>.</summary>
    public static List<string> Read(ReadOnlyMemory<byte> batches)
    {
        var values = new List<string>();
        foreach (var batch in new RecordBatchEnumerator(batches.Span))
        {
            var reader = new RecordReader(batch.Header, batch.Records);
            while (reader.TryRead(out var record))
                values.Add($"{record.Offset}:{Encoding.UTF8.GetString(record.Value)}");
        }
        return values;
    }
}
