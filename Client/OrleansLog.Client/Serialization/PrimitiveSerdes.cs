using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace OrleansLog.Client;

internal sealed class ByteArraySerde : ISerde<byte[]>
{
    public void Serialize(byte[] value, IBufferWriter<byte> destination) => destination.Write(value);
    public byte[] Deserialize(ReadOnlySpan<byte> data) => data.ToArray();
}

internal sealed class MemorySerde : ISerde<ReadOnlyMemory<byte>>
{
    public void Serialize(ReadOnlyMemory<byte> value, IBufferWriter<byte> destination) => destination.Write(value.Span);
    public ReadOnlyMemory<byte> Deserialize(ReadOnlySpan<byte> data) => data.ToArray();
}

internal sealed class Utf8Serde : ISerde<string>
{
    public void Serialize(string value, IBufferWriter<byte> destination)
    {
        var span = destination.GetSpan(Encoding.UTF8.GetMaxByteCount(value.Length));
        destination.Advance(Encoding.UTF8.GetBytes(value, span));
    }

    public string Deserialize(ReadOnlySpan<byte> data) => Encoding.UTF8.GetString(data);
}

internal sealed class Int32Serde : ISerde<int>
{
    public void Serialize(int value, IBufferWriter<byte> destination)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination.GetSpan(4), value);
        destination.Advance(4);
    }

    public int Deserialize(ReadOnlySpan<byte> data) => data.Length == 4
        ? BinaryPrimitives.ReadInt32BigEndian(data)
        : throw new FormatException($"A 32-bit integer has 4 bytes, this field has {data.Length}; read it with the serializer it was written with.");
}

internal sealed class Int64Serde : ISerde<long>
{
    public void Serialize(long value, IBufferWriter<byte> destination)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination.GetSpan(8), value);
        destination.Advance(8);
    }

    public long Deserialize(ReadOnlySpan<byte> data) => data.Length == 8
        ? BinaryPrimitives.ReadInt64BigEndian(data)
        : throw new FormatException($"A 64-bit integer has 8 bytes, this field has {data.Length}; read it with the serializer it was written with.");
}
