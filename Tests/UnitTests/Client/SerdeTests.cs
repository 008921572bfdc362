using System.Buffers;
using System.Text.Json.Serialization;
using OrleansLog.Client;

namespace OrleansLog.UnitTests.Client;

public sealed partial class SerdeTests
{
    [Fact]
    public void Every_serializer_reads_what_it_writes()
    {
        Check(Serdes.Utf8, "grüße, 世界", 15);
        Check(Serdes.Int32, -2, 4);
        Check(Serdes.Int64, long.MinValue, 8);
        Check(Serdes.Json(ShopJson.Default.Order), new Order("soup", 2), 25);
        Check(Serdes.For<string>(), "", 0);
        Assert.Equal([1, 2], Serdes.ByteArray.Deserialize(Write(Serdes.ByteArray, [1, 2])));
    }

    [Fact]
    public void Integers_are_big_endian_as_Kafkas_are() => Assert.Equal([0, 0, 1, 2], Write(Serdes.Int32, 258));

    [Fact]
    public void An_integer_of_the_wrong_size_is_refused() => Assert.Throws<FormatException>(() => Serdes.Int64.Deserialize([1, 2, 3, 4]));

    [Fact]
    public void A_type_without_a_serializer_is_named() =>
        Assert.Contains(nameof(Order), Assert.Throws<ArgumentException>(() => Serdes.For<Order>()).Message, StringComparison.Ordinal);

    private static void Check<T>(ISerde<T> serde, T value, int length)
    {
        var bytes = Write(serde, value);
        Assert.Equal(length, bytes.Length);
        Assert.Equal(value, serde.Deserialize(bytes));
    }

    private static byte[] Write<T>(ISerializer<T> serializer, T value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serializer.Serialize(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public sealed record Order(string Dish, int Count);

    [JsonSerializable(typeof(Order))]
    private sealed partial class ShopJson : JsonSerializerContext;
}
