using System.Buffers.Binary;
using System.Text;

namespace OrleansLog.Benchmarks.Clients.Kafka;

/// <summary>
/// Builds one Kafka request in a version before the flexible ones, size prefix and header (version 1) included.
/// A reference type of a few fields: requests are made beforehand, or are small.
/// </summary>
internal sealed class KafkaWriter
{
    private byte[] _buffer = new byte[256];
    private int _length;

    /// <summary>Starts a request over.</summary>
    public KafkaWriter Begin(short apiKey, short version)
    {
        _length = 4;
        return Int16(apiKey).Int16(version).Int32(0).String("olog-bench");
    }

    /// <summary>The finished request, valid until the next <see cref="Begin"/>.</summary>
    public ReadOnlySpan<byte> End()
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer, _length - 4);
        return _buffer.AsSpan(0, _length);
    }

    public KafkaWriter Int8(sbyte value)
    {
        Take(1)[0] = (byte)value;
        return this;
    }

    public KafkaWriter Int16(short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(Take(2), value);
        return this;
    }

    public KafkaWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Take(4), value);
        return this;
    }

    public KafkaWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Take(8), value);
        return this;
    }

    public KafkaWriter String(string? value)
    {
        Int16((short)(value is null ? -1 : Encoding.UTF8.GetByteCount(value)));
        Encoding.UTF8.GetBytes(value ?? "", Take(Encoding.UTF8.GetByteCount(value ?? "")));
        return this;
    }

    public KafkaWriter Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        value.CopyTo(Take(value.Length));
        return this;
    }

    private Span<byte> Take(int count)
    {
        if (_length + count > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_length + count, 2 * _buffer.Length));
        }

        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}
