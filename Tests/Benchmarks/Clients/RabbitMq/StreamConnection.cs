using System.Buffers.Binary;
using System.Net;

namespace OrleansLog.Benchmarks.Clients.RabbitMq;

/// <summary>A connection of the RabbitMQ stream protocol, opened as the guest user on the virtual host "/".</summary>
internal sealed class StreamConnection : IDisposable
{
    private const ushort ResponseBit = 0x8000;
    private const ushort Ok = 1;
    private readonly Connection _connection;

    public StreamConnection(IPEndPoint endPoint, int bufferBytes = 1 << 20)
    {
        _connection = new Connection(endPoint, bufferBytes);
        var frame = new StreamFrame();
        Request(frame.Begin(StreamCommand.PeerProperties).Int32(1).Int32(0));
        Request(frame.Begin(StreamCommand.SaslHandshake).Int32(1));
        frame.Begin(StreamCommand.SaslAuthenticate).Int32(1).String("PLAIN").Int32(12);
        "\0guest\0guest"u8.CopyTo(frame.Take(12));
        Request(frame);
        var tune = ReadFrame(StreamCommand.Tune);
        FrameBytesMax = BinaryPrimitives.ReadInt32BigEndian(tune);
        const int NoHeartbeat = 0;
        Send(frame.Begin(StreamCommand.Tune).Int32(FrameBytesMax).Int32(NoHeartbeat).End());
        Request(frame.Begin(StreamCommand.Open).Int32(1).String("/"));
    }

    public int FrameBytesMax { get; }

    public long BytesReceived => _connection.BytesReceived;

    public void Send(ReadOnlySpan<byte> frame) => _connection.Send(frame);

    /// <summary>Sends a command with a correlation id and checks its response code.</summary>
    public void Request(StreamFrame frame)
    {
        var bytes = frame.End();
        var command = (StreamCommand)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        Send(bytes);
        var response = ReadFrame(command);
        var code = BinaryPrimitives.ReadUInt16BigEndian(response[4..]);
        if (code != Ok)
        {
            throw new BrokerException($"RabbitMQ stream: {command} was answered with code {code}");
        }
    }

    /// <summary>Blocks until a frame of <paramref name="expected"/> has come; what follows its version. Valid until the next read.</summary>
    public ReadOnlySpan<byte> ReadFrame(StreamCommand expected)
    {
        for (; ; )
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(_connection.Need(4));
            var frame = _connection.Need(4 + size)[4..(4 + size)];
            _connection.Consume(4 + size);
            var command = (StreamCommand)(BinaryPrimitives.ReadUInt16BigEndian(frame) & ~ResponseBit);
            if (command == expected)
            {
                return frame[4..];
            }

            if (command is StreamCommand.Close or StreamCommand.PublishError)
            {
                throw new BrokerException($"RabbitMQ stream: {command} instead of {expected}: {Convert.ToHexString(frame)}");
            }
        }
    }

    public void Dispose() => _connection.Dispose();
}
