using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OrleansLog.Client;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Cli.Formats;

/// <summary>
/// The line is a JSON object. Its key and value are strings, or null, or any other JSON, which is then taken as it
/// stands; bytes that are not text come as keyBase64 and valueBase64. What <see cref="JsonWriter"/> writes, this reads:
/// topic and offset are accepted and mean nothing here.
/// </summary>
internal sealed class JsonParser(RecordTemplate template) : IRecordParser
{
    private readonly List<RecordHeader> _headers = [];
    private byte[] _unescaped = [];
    private int _unescapedBytes;

    public OutgoingRecord Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return ParseObject(line);
        }
        catch (JsonException e)
        {
            throw new FormatException($"is not JSON (at byte {e.BytePositionInLine + 1}); write one object to a line.", e);
        }
    }

    private OutgoingRecord ParseObject(ReadOnlySpan<byte> line)
    {
        if (_unescaped.Length < line.Length * 2) _unescaped = new byte[line.Length * 2];
        _unescapedBytes = 0;
        _headers.Clear();
        _headers.AddRange(template.Headers);
        var fields = new Fields { Partition = template.Partition, KeyIsNull = true };
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new FormatException("is not a JSON object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) ReadField(ref reader, line, ref fields);
        reader.Read();
        if (!fields.HasValue) throw new FormatException("has no \"value\"; write null for a record without one.");
        return fields.ToRecord(template, _headers);
    }

    private void ReadField(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line, ref Fields fields)
    {
        if (reader.ValueTextEquals(JsonFields.Key)) fields.Key = ReadText(ref reader, line, out fields.KeyIsNull);
        else if (reader.ValueTextEquals(JsonFields.KeyBase64)) fields.Key = ReadBase64(ref reader, JsonFields.KeyBase64, out fields.KeyIsNull);
        else if (reader.ValueTextEquals(JsonFields.Value)) fields.SetValue(ReadText(ref reader, line, out var isNull), isNull);
        else if (reader.ValueTextEquals(JsonFields.ValueBase64)) fields.SetValue(ReadBase64(ref reader, JsonFields.ValueBase64, out var isNull), isNull);
        else if (reader.ValueTextEquals(JsonFields.Headers)) ReadHeaders(ref reader, line);
        else if (reader.ValueTextEquals(JsonFields.Partition)) fields.Partition = template.Partition ?? ReadPartition(ref reader);
        else if (reader.ValueTextEquals(JsonFields.Timestamp)) fields.TimestampMs = ReadTimestamp(ref reader);
        else if (reader.ValueTextEquals(JsonFields.Topic) || reader.ValueTextEquals(JsonFields.Offset)) reader.Skip();
        else throw UnknownField(reader.GetString()!);
    }

    private ReadOnlySpan<byte> ReadText(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line, out bool isNull)
    {
        reader.Read();
        isNull = reader.TokenType == JsonTokenType.Null;
        if (isNull) return default;
        if (reader.TokenType != JsonTokenType.String) return ReadRaw(ref reader, line);
        return reader.ValueIsEscaped ? Unescape(ref reader) : reader.ValueSpan;
    }

    private static ReadOnlySpan<byte> ReadRaw(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return line[start..(int)reader.BytesConsumed];
    }

    private ReadOnlySpan<byte> Unescape(scoped ref Utf8JsonReader reader)
    {
        var target = _unescaped.AsSpan(_unescapedBytes);
        var bytes = reader.CopyString(target);
        _unescapedBytes += bytes;
        return target[..bytes];
    }

    private ReadOnlySpan<byte> ReadBase64(scoped ref Utf8JsonReader reader, string field, out bool isNull)
    {
        reader.Read();
        isNull = reader.TokenType == JsonTokenType.Null;
        if (isNull) return default;
        if (reader.TokenType != JsonTokenType.String) throw NotBase64(field);
        var text = reader.ValueIsEscaped ? Unescape(ref reader) : reader.ValueSpan;
        var target = _unescaped.AsSpan(_unescapedBytes);
        if (Base64.DecodeFromUtf8(text, target, out _, out var bytes) != OperationStatus.Done) throw NotBase64(field);
        _unescapedBytes += bytes;
        return target[..bytes];
    }

    /// <summary>Either <c>[{"key":"k","value":"v"}]</c>, which keeps order and repetition, or <c>{"k":"v"}</c>.</summary>
    private void ReadHeaders(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
    {
        reader.Read();
        if (reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.StartObject or JsonTokenType.Null)) throw BadHeaders();
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                _headers.Add(ReadHeader(reader.GetString()!, ref reader, line));
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.StartObject) _headers.Add(ReadHeaderObject(ref reader, line));
            if (reader.TokenType != JsonTokenType.EndArray) throw BadHeaders();
        }
    }

    private RecordHeader ReadHeaderObject(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
    {
        string? key = null;
        ReadOnlyMemory<byte>? value = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(JsonFields.Key)) key = Encoding.UTF8.GetString(ReadText(ref reader, line, out _));
            else if (reader.ValueTextEquals(JsonFields.Value)) value = ReadHeader("", ref reader, line).Value;
            else if (reader.ValueTextEquals(JsonFields.ValueBase64)) value = Copy(ReadBase64(ref reader, JsonFields.ValueBase64, out var isNull), isNull);
            else throw BadHeaders();
        }
        return new RecordHeader(key ?? throw BadHeaders(), value);
    }

    private RecordHeader ReadHeader(string key, scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> line) =>
        new(key, Copy(ReadText(ref reader, line, out var isNull), isNull));

    private static ReadOnlyMemory<byte>? Copy(ReadOnlySpan<byte> bytes, bool isNull) =>
        isNull ? default(ReadOnlyMemory<byte>?) : new ReadOnlyMemory<byte>(bytes.ToArray());

    private static int ReadPartition(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var partition) && partition >= 0) return partition;
        throw new FormatException("has a \"partition\" that is not a whole number from 0.");
    }

    private static long? ReadTimestamp(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var ms)) return ms;
        if (reader.TokenType == JsonTokenType.String && Moment.TryParse(reader.GetString()!, out var time)) return time.ToUnixTimeMilliseconds();
        throw new FormatException("has a \"timestamp\" that is neither milliseconds since 1970 nor a time such as 2025-06-01T12:00:00Z.");
    }

    private static FormatException NotBase64(string field) => new($"has a \"{field}\" that is not base64.");

    private static FormatException BadHeaders() => new("""has "headers" that are neither {"name":"value"} nor [{"key":"name","value":"value"}].""");

    private static FormatException UnknownField(string name) => new(
        string.Create(CultureInfo.InvariantCulture, $"has a field \"{name}\" that records do not have{NearestName.Suggest(name, JsonFields.All)} Put data into \"value\"."));

    private ref struct Fields
    {
        public ReadOnlySpan<byte> Key;
        public bool KeyIsNull;
        public ReadOnlySpan<byte> Value;
        public bool ValueIsNull;
        public bool HasValue;
        public int? Partition;
        public long? TimestampMs;

        public void SetValue(ReadOnlySpan<byte> value, bool isNull)
        {
            Value = value;
            ValueIsNull = isNull;
            HasValue = true;
        }

        public readonly OutgoingRecord ToRecord(RecordTemplate template, List<RecordHeader> headers) => new()
        {
            Key = KeyIsNull ? template.Key : Key,
            HasKey = !KeyIsNull || template.Key is not null,
            Value = Value,
            IsTombstone = ValueIsNull,
            Partition = Partition,
            TimestampMs = TimestampMs,
            Headers = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(headers),
        };
    }
}
