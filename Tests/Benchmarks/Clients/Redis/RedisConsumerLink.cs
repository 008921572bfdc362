using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace OrleansLog.Benchmarks.Clients.Redis;

/// <summary>XREAD from the last entry seen, blocking for half a second.</summary>
internal sealed class RedisConsumerLink : IConsumerLink
{
    private const int GuessedEntryBytes = 128;
    private readonly Connection _connection;
    private readonly RespReader _replies;
    private readonly string _topic;
    private readonly int _count;
    private string _last = "0-0";

    public RedisConsumerLink(IPEndPoint endPoint, string topic, int fetchBytes)
    {
        _connection = new Connection(endPoint, 2 * fetchBytes);
        (_replies, _topic, _count) = (new RespReader(_connection), topic, fetchBytes / GuessedEntryBytes);
    }

    public long BytesReceived => _connection.BytesReceived;

    public int Receive(Action<long>? onStamp)
    {
        _connection.Send(Encoding.UTF8.GetBytes($"XREAD COUNT {_count} BLOCK 500 STREAMS {_topic} {_last}\r\n"));
        if (_replies.ReadNumber('*') < 0)
        {
            return 0;
        }

        _ = _replies.ReadNumber('*');
        _ = _replies.ReadBulk();
        var entries = _replies.ReadNumber('*');
        for (var i = 0; i < entries; i++)
        {
            ReadEntry(isLast: i == entries - 1, onStamp);
        }

        return entries;
    }

    public void Dispose() => _connection.Dispose();

    private void ReadEntry(bool isLast, Action<long>? onStamp)
    {
        _ = _replies.ReadNumber('*');
        var id = _replies.ReadBulk();
        if (isLast)
        {
            _last = Encoding.ASCII.GetString(id);
        }

        _ = _replies.ReadNumber('*');
        _ = _replies.ReadBulk();
        var value = _replies.ReadBulk();
        onStamp?.Invoke(BinaryPrimitives.ReadInt64LittleEndian(value));
    }
}
