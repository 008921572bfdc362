using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using OrleansLog.Cli.Output;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Formats;

/// <summary>
/// The whole record as one JSON object on a line. Keys and values that are UTF-8 come as strings, others as base64
/// under another name, so that nothing is lost.
/// </summary>
internal sealed class JsonWriter : IRecordWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    public void Write(scoped in RecordView record, TopicPartition partition, RecordOutput output)
    {
        var json = Restart(output);
        json.WriteStartObject();
        json.WriteString(JsonFields.Topic, partition.Topic);
        json.WriteNumber(JsonFields.Partition, partition.Partition);
        json.WriteNumber(JsonFields.Offset, record.Offset.Value);
        json.WriteNumber(JsonFields.Timestamp, record.Timestamp);
        WriteBytes(json, JsonFields.Key, JsonFields.KeyBase64, record.Key, record.KeyIsNull);
        WriteBytes(json, JsonFields.Value, JsonFields.ValueBase64, record.Value, record.ValueIsNull);
        if (record.HeaderCount > 0) WriteHeaders(json, record);
        json.WriteEndObject();
        json.Flush();
        output.Write((byte)'\n');
    }

    private static Utf8JsonWriter Restart(RecordOutput output)
    {
        if (_writer is null) return _writer = new Utf8JsonWriter(output, Options);
        _writer.Reset(output);
        return _writer;
    }

    private static void WriteHeaders(Utf8JsonWriter json, scoped in RecordView record)
    {
        json.WriteStartArray(JsonFields.Headers);
        foreach (var header in record.Headers)
        {
            json.WriteStartObject();
            json.WriteString(JsonFields.Key, header.KeyUtf8);
            WriteBytes(json, JsonFields.Value, JsonFields.ValueBase64, header.Value, header.ValueIsNull);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteBytes(Utf8JsonWriter json, string name, string base64Name, ReadOnlySpan<byte> bytes, bool isNull)
    {
        if (isNull) json.WriteNull(name);
        else if (Utf8.IsValid(bytes)) json.WriteString(name, bytes);
        else json.WriteBase64String(base64Name, bytes);
    }
}
