using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLog.Client;

internal sealed class JsonSerde<T>(JsonTypeInfo<T> typeInfo) : ISerde<T>
{
    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    public void Serialize(T value, IBufferWriter<byte> destination)
    {
        var writer = _writer ??= new Utf8JsonWriter(destination, new JsonWriterOptions { SkipValidation = true });
        writer.Reset(destination);
        JsonSerializer.Serialize(writer, value, typeInfo);
        writer.Flush();
    }

    public T Deserialize(ReadOnlySpan<byte> data) => JsonSerializer.Deserialize(data, typeInfo)!;
}
