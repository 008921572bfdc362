using System.Buffers.Binary;
using System.Net;

namespace OrleansLog.Benchmarks.Clients.RabbitMq;

/// <summary>A subscription from the first chunk on; one credit is given back for each chunk delivered.</summary>
internal sealed class RabbitMqConsumerLink : IConsumerLink
{
    private const byte SubscriptionId = 1;
    private const ushort FromFirst = 1;
    private const ushort InitialCredit = 16;
    private const int ChunkHeaderAt = 1;
    private const int EntriesAt = ChunkHeaderAt + 2;
    private const int RecordsAt = ChunkHeaderAt + 4;
    private const int DataAt = ChunkHeaderAt + 48;

    private readonly StreamConnection _connection;
    private readonly byte[] _credit;

    public RabbitMqConsumerLink(IPEndPoint endPoint, string topic, int fetchBytes)
    {
        _connection = new StreamConnection(endPoint, 2 * fetchBytes);
        _connection.Request(new StreamFrame().Begin(StreamCommand.Subscribe).Int32(1)
            .UInt8(SubscriptionId).String(topic).UInt16(FromFirst).UInt16(InitialCredit).Int32(0));
        _credit = new StreamFrame().Begin(StreamCommand.Credit).UInt8(SubscriptionId).UInt16(1).End().ToArray();
    }

    public long BytesReceived => _connection.BytesReceived;

    public int Receive(Action<long>? onStamp)
    {
        var chunk = _connection.ReadFrame(StreamCommand.Deliver);
        if (onStamp is not null)
        {
            ShowStamps(chunk[DataAt..], BinaryPrimitives.ReadUInt16BigEndian(chunk[EntriesAt..]), onStamp);
        }

        var records = BinaryPrimitives.ReadInt32BigEndian(chunk[RecordsAt..]);
        _connection.Send(_credit);
        return records;
    }

    public void Dispose() => _connection.Dispose();

    private static void ShowStamps(ReadOnlySpan<byte> data, int entries, Action<long> onStamp)
    {
        for (; entries > 0; entries--)
        {
            var isSubEntry = (data[0] & 0x80) != 0;
            var records = isSubEntry ? BinaryPrimitives.ReadUInt16BigEndian(data[1..]) : 1;
            data = isSubEntry ? data[11..] : data;
            for (; records > 0; records--)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(data);
                onStamp(BinaryPrimitives.ReadInt64LittleEndian(data[4..]));
                data = data[(4 + length)..];
            }
        }
    }
}
