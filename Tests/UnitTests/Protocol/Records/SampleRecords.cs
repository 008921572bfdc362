using System.Buffers;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Protocol.Records;

/// <summary>A record as tests compare it: equal by content.</summary>
internal sealed record SampleRecord(long Timestamp, string? Key, string? Value, string Headers)
{
    public static SampleRecord From(in RecordView record) => new(
        record.Timestamp,
        record.KeyIsNull ? null : Convert.ToHexString(record.Key),
        record.ValueIsNull ? null : Convert.ToHexString(record.Value),
        Describe(record.CopyHeaders()));

    public static string Describe(IEnumerable<RecordHeader> headers) => string.Join(
        ';', headers.Select(h => $"{h.Key}={(h.Value is { } value ? Convert.ToHexString(value.Span) : "null")}"));
}

/// <summary>Batches of random but repeatable content.</summary>
internal sealed class SampleRecords(int seed)
{
    private static readonly string[] HeaderNames = ["", "trace", "größe", "日本", new('n', 70)];

    private readonly Random _random = new(seed);

    /// <summary>A batch of 20 records, uncompressed.</summary>
    public static byte[] SomeBatch(int seed = 1)
    {
        using var builder = new RecordBatchBuilder(100_000);
        return new SampleRecords(seed).Append(builder, 20).Bytes;
    }

    /// <summary>Appends up to <paramref name="count"/> records and builds the batch.</summary>
    public (List<SampleRecord> Records, byte[] Bytes) Append(
        RecordBatchBuilder builder, int count, IRecordCompressor? compressor = null)
    {
        var records = new List<SampleRecord>();
        while (records.Count < count && TryAppendOne(builder, out var record))
        {
            records.Add(record);
        }
        return (records, builder.Build(compressor).ToArray());
    }

    public static List<SampleRecord> ReadAll(in RecordBatchHeader header, ReadOnlySpan<byte> records)
    {
        var found = new List<SampleRecord>();
        var reader = new RecordReader(header, records);
        while (reader.TryRead(out var record))
        {
            found.Add(SampleRecord.From(record));
        }
        return found;
    }

    private bool TryAppendOne(RecordBatchBuilder builder, out SampleRecord record)
    {
        var timestamp = 1_700_000_000_000 + _random.Next(-100_000, 100_000);
        var key = BytesOrNull();
        var value = BytesOrNull();
        var headerCount = _random.Next(4) == 0 ? _random.Next(1, 5) : 0;
        var headers = Enumerable.Range(0, headerCount).Select(_ => Header()).ToArray();
        record = new SampleRecord(timestamp, Hex(key), Hex(value), SampleRecord.Describe(headers));
        return builder.TryAppend(timestamp, key, key is null, value, value is null, headers);
    }

    private static string? Hex(byte[]? bytes) => bytes is null ? null : Convert.ToHexString(bytes);

    private RecordHeader Header() => new(
        HeaderNames[_random.Next(HeaderNames.Length)],
        BytesOrNull() is { } value ? value : default(ReadOnlyMemory<byte>?));

    private byte[]? BytesOrNull()
    {
        if (_random.Next(5) == 0)
        {
            return null;
        }
        var bytes = new byte[_random.Next(20) == 0 ? _random.Next(300) : _random.Next(40)];
        _random.NextBytes(bytes);
        return bytes;
    }
}

/// <summary>Compression that a test can see through: every bit turned over, one byte put before.</summary>
internal sealed class InvertingCompressor : IRecordCompressor
{
    public CompressionType Type => CompressionType.Lz4;

    public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination) =>
        destination.Write<byte>([0xAA, .. Invert(source)]);

    public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize) =>
        destination.Write(Invert(source[1..]));

    private static byte[] Invert(ReadOnlySpan<byte> source) => Array.ConvertAll(source.ToArray(), b => (byte)~b);
}
