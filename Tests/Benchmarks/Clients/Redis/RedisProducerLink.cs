using System.Buffers.Binary;
using System.Net;
using System.Text;
using OrleansLog.Benchmarks.Clients.Kafka;

namespace OrleansLog.Benchmarks.Clients.Redis;

/// <summary>Pipelined XADD; a batch is as many commands in one write.</summary>
internal sealed class RedisProducerLink : IProducerLink
{
    private readonly Connection _connection;
    private readonly RespReader _replies;
    private readonly ProducerShape _shape;
    private readonly byte[] _command;
    private readonly int _valueAt;
    private readonly byte[] _prepared;
    private readonly Queue<int> _recordsInFlight = new();
    private byte[] _buffer = [];

    public RedisProducerLink(IPEndPoint endPoint, string topic, ProducerShape shape)
    {
        _connection = new Connection(endPoint);
        (_replies, _shape) = (new RespReader(_connection), shape);
        var head = $"*5\r\n$4\r\nXADD\r\n${topic.Length}\r\n{topic}\r\n$1\r\n*\r\n$1\r\nv\r\n${shape.RecordBytes}\r\n";
        _command = [.. Encoding.UTF8.GetBytes(head), .. RecordBatchMaker.Filler(shape.RecordBytes), .. "\r\n"u8];
        _valueAt = head.Length;
        _prepared = Commands(new long[shape.BatchRecords]).ToArray();
    }

    public long Acknowledged { get; private set; }

    public int SendBatch()
    {
        SendCommands(_prepared, _shape.BatchRecords);
        return _shape.BatchRecords;
    }

    public void Send(ReadOnlySpan<long> stamps) => SendCommands(Commands(stamps), stamps.Length);

    public void AwaitAcknowledgements()
    {
        while (_recordsInFlight.Count > 0)
        {
            ReadAcknowledgements();
        }
    }

    public void Dispose() => _connection.Dispose();

    private ReadOnlySpan<byte> Commands(ReadOnlySpan<long> stamps)
    {
        var length = stamps.Length * _command.Length;
        if (_buffer.Length < length)
        {
            _buffer = new byte[length];
        }

        for (var i = 0; i < stamps.Length; i++)
        {
            var command = _buffer.AsSpan(i * _command.Length);
            _command.CopyTo(command);
            BinaryPrimitives.WriteInt64LittleEndian(command[_valueAt..], stamps[i]);
        }

        return _buffer.AsSpan(0, length);
    }

    private void SendCommands(ReadOnlySpan<byte> commands, int records)
    {
        while (_recordsInFlight.Count >= _shape.WindowRequests)
        {
            ReadAcknowledgements();
        }

        _connection.Send(commands);
        _recordsInFlight.Enqueue(records);
    }

    private void ReadAcknowledgements()
    {
        var records = _recordsInFlight.Dequeue();
        for (var i = 0; i < records; i++)
        {
            _ = _replies.ReadBulk();
        }

        Acknowledged += records;
    }
}
