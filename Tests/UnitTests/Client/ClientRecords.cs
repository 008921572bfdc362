using System.Text;
using OrleansLog.Compression;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Client;

/// <summary>Records as text, in and out of batches.</summary>
public static class ClientRecords
{
    public static ReadOnlyMemory<byte> Build(params string[] values) => BuildAt(0, values);

    public static ReadOnlyMemory<byte> BuildAt(long timestampMs, params string[] values)
    {
        using var builder = new RecordBatchBuilder(1024 * 1024);
        foreach (var value in values) builder.TryAppend(timestampMs, [], true, Encoding.UTF8.GetBytes(value), false, []);
        return builder.Build().ToArray();
    }

    public static ReadOnlyMemory<byte> BuildPairs(params (string Key, string Value)[] records)
    {
        using var builder = new RecordBatchBuilder(1024 * 1024);
        foreach (var (key, value) in records) builder.TryAppend(0, Encoding.UTF8.GetBytes(key), false, Encoding.UTF8.GetBytes(value), false, []);
        return builder.Build().ToArray();
    }

    public static IReadOnlyList<string> Values(byte[] batch)
    {
        RecordBatchHeader.TryRead(batch, out var header);
        using var unpacked = new PooledBufferWriter();
        CompressionCodecs.For(header.Compression).Decompress(batch.AsSpan(RecordBatchHeader.Size), unpacked, int.MaxValue);
        List<string> values = [];
        var reader = new RecordReader(header, unpacked.WrittenSpan);
        while (reader.TryRead(out var record)) values.Add(record.ValueIsNull ? "(null)" : Encoding.UTF8.GetString(record.Value));
        return values;
    }
}
