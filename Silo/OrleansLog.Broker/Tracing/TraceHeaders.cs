using System.Diagnostics;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Broker.Tracing;

/// <summary>The W3C trace context (https://www.w3.org/TR/trace-context/) that a producer left in a record's headers.</summary>
internal static class TraceHeaders
{
    /// <summary>
    /// The context in the first record of the first batch; none if it has none, or is compressed: a broker does not unpack.
    /// </summary>
    public static ActivityContext Read(ReadOnlySpan<byte> batches)
    {
        if (RecordBatchHeader.TryRead(batches, out var header) != ErrorCode.None || header.Compression != CompressionType.None || header.SizeInBytes > batches.Length)
            return default;
        try
        {
            var reader = new RecordReader(header, batches[RecordBatchHeader.Size..header.SizeInBytes]);
            return reader.TryRead(out var record) ? Read(record) : default;
        }
        catch (CorruptRecordException)
        {
            // Whoever appends it finds that out too, and says so.
            return default;
        }
    }

    private static ActivityContext Read(in RecordView record)
    {
        string? parent = null, state = null;
        foreach (var header in record.Headers)
        {
            if (header.KeyUtf8.SequenceEqual("traceparent"u8)) parent = Encoding.UTF8.GetString(header.Value);
            else if (header.KeyUtf8.SequenceEqual("tracestate"u8)) state = Encoding.UTF8.GetString(header.Value);
        }
        return ActivityContext.TryParse(parent, state, isRemote: true, out var context) ? context : default;
    }
}
