using System.Text.Json.Serialization.Metadata;

namespace OrleansLog.Client;

/// <summary>The serializers that come with the client. All are stateless and shared.</summary>
public static class Serdes
{
    /// <summary>Bytes as they are. Reading allocates an array per value; batch consumption avoids it.</summary>
    public static ISerde<byte[]> ByteArray { get; } = new ByteArraySerde();

    /// <summary>Bytes as they are, from any memory. Reading allocates an array per value.</summary>
    public static ISerde<ReadOnlyMemory<byte>> Memory { get; } = new MemorySerde();

    /// <summary>Text as UTF-8 without a byte order mark.</summary>
    public static ISerde<string> Utf8 { get; } = new Utf8Serde();

    /// <summary>A 32-bit integer, four bytes, big-endian (as Kafka's IntegerSerializer).</summary>
    public static ISerde<int> Int32 { get; } = new Int32Serde();

    /// <summary>A 64-bit integer, eight bytes, big-endian (as Kafka's LongSerializer).</summary>
    public static ISerde<long> Int64 { get; } = new Int64Serde();

    /// <summary>
    /// JSON as UTF-8 by source-generated metadata, which needs no reflection: pass for instance
    /// <c>ShopJson.Default.Order</c> of your <c>JsonSerializerContext</c>.
    /// </summary>
    public static ISerde<T> Json<T>(JsonTypeInfo<T> typeInfo) => new JsonSerde<T>(typeInfo);

    /// <summary>The built-in serializer of <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException">There is none: pass one explicitly.</exception>
    public static ISerde<T> For<T>() =>
        ByteArray as ISerde<T> ?? Memory as ISerde<T> ?? Utf8 as ISerde<T> ?? Int32 as ISerde<T> ?? Int64 as ISerde<T>
        ?? throw new ArgumentException(
            $"There is no built-in serializer for {typeof(T)}; pass one, for instance Serdes.Json(...).");
}
