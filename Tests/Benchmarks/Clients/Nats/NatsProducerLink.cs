using System.Buffers.Binary;
using System.Net;
using System.Text;
using OrleansLog.Benchmarks.Clients.Kafka;

namespace OrleansLog.Benchmarks.Clients.Nats;

/// <summary>
/// Asynchronous JetStream publishing: every message has a reply subject, on which its acknowledgement comes. JetStream
/// has no batches; a batch here is as many messages in one write.
/// </summary>
internal sealed class NatsProducerLink : IProducerLink
{
    private readonly NatsConnection _connection;
    private readonly ProducerShape _shape;
    private readonly byte[] _command;
    private readonly int _valueAt;
    private readonly byte[] _prepared;
    private byte[] _buffer = [];
    private long _sent;

    public NatsProducerLink(IPEndPoint endPoint, string topic, ProducerShape shape)
    {
        _connection = new NatsConnection(endPoint);
        _shape = shape;
        var inbox = NatsConnection.NewInbox();
        _connection.Send($"SUB {inbox} 1\r\n");
        var head = $"PUB {topic} {inbox} {shape.RecordBytes}\r\n";
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
        while (Acknowledged < _sent)
        {
            ReadAcknowledgement();
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
        var window = _shape.WindowRequests * _shape.BatchRecords;
        while (_sent - Acknowledged > 0 && _sent - Acknowledged + records > window)
        {
            ReadAcknowledgement();
        }

        _connection.Send(commands);
        _sent += records;
    }

    private void ReadAcknowledgement()
    {
        var message = _connection.ReadMessage();
        if (!message.Headers.IsEmpty || message.Payload.IndexOf("\"error\""u8) >= 0)
        {
            throw new BrokerException("JetStream publish: " + Encoding.UTF8.GetString(message.Headers) + Encoding.UTF8.GetString(message.Payload));
        }

        Acknowledged++;
    }
}
