using System.Buffers.Binary;
using System.Text;

namespace OrleansLog.Benchmarks.Clients.RabbitMq;

/// <summary>Builds one frame of the RabbitMQ stream protocol, size prefix included.</summary>
internal sealed class StreamFrame
{
    private byte[] _buffer = new byte[256];
    private int _length;

    public StreamFrame Begin(StreamCommand command)
    {
        _length = 4;
        return UInt16((ushort)command).UInt16(1);
    }

    /// <summary>The finished frame, valid until the next <see cref="Begin"/>.</summary>
    public ReadOnlySpan<byte> End()
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer, _length - 4);
        return _buffer.AsSpan(0, _length);
    }

    public StreamFrame UInt8(byte value)
    {
        Take(1)[0] = value;
        return this;
    }

    public StreamFrame UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);
        return this;
    }

    public StreamFrame Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Take(4), value);
        return this;
    }

    public StreamFrame Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(Take(8), value);
        return this;
    }

    public StreamFrame String(string value)
    {
        UInt16((ushort)value.Length);
        Encoding.ASCII.GetBytes(value, Take(value.Length));
        return this;
    }

    /// <summary>Room for <paramref name="count"/> bytes, to be written by the caller.</summary>
    public Span<byte> Take(int count)
    {
        if (_length + count > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_length + count, 2 * _buffer.Length));
        }

        _length += count;
        return _buffer.AsSpan(_length - count, count);
    }
}

/// <summary>The commands used here (RabbitMQ stream plugin, PROTOCOL.adoc).</summary>
internal enum StreamCommand : ushort
{
    DeclarePublisher = 0x01,
    Publish = 0x02,
    PublishConfirm = 0x03,
    PublishError = 0x04,
    Subscribe = 0x07,
    Deliver = 0x08,
    Credit = 0x09,
    Create = 0x0d,
    Delete = 0x0e,
    PeerProperties = 0x11,
    SaslHandshake = 0x12,
    SaslAuthenticate = 0x13,
    Tune = 0x14,
    Open = 0x15,
    Close = 0x16,
    Heartbeat = 0x17,
}
