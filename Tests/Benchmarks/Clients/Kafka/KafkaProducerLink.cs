using System.Net;

namespace OrleansLog.Benchmarks.Clients.Kafka;

/// <summary>Produce requests, pipelined; the answer to each is checked for its error code.</summary>
internal sealed class KafkaProducerLink : IProducerLink
{
    private readonly Connection _connection;
    private readonly string _topic;
    private readonly ProducerShape _shape;
    private readonly short _acks;
    private readonly RecordBatchMaker _batches;
    private readonly KafkaWriter _writer = new();
    private readonly byte[] _prepared;
    private readonly Queue<int> _recordsInFlight = new();

    public KafkaProducerLink(IPEndPoint endPoint, string topic, ProducerShape shape, short acks = 1)
    {
        _acks = acks;
        _connection = new Connection(endPoint);
        (_topic, _shape, _batches) = (topic, shape, new RecordBatchMaker(shape.RecordBytes));
        _prepared = Request(new long[shape.BatchRecords]).ToArray();
    }

    public long Acknowledged { get; private set; }

    public int SendBatch()
    {
        SendRequest(_prepared, _shape.BatchRecords);
        return _shape.BatchRecords;
    }

    public void Send(ReadOnlySpan<long> stamps) => SendRequest(Request(stamps), stamps.Length);

    public void AwaitAcknowledgements()
    {
        while (_recordsInFlight.Count > 0)
        {
            ReadAcknowledgement();
        }
    }

    public void Dispose() => _connection.Dispose();

    private ReadOnlySpan<byte> Request(ReadOnlySpan<long> stamps) => _writer.Begin(0, 7)
        .String(null).Int16(_acks).Int32(30_000).Int32(1).String(_topic).Int32(1).Int32(0).Bytes(_batches.Make(stamps)).End();

    private void SendRequest(ReadOnlySpan<byte> request, int records)
    {
        while (_recordsInFlight.Count >= _shape.WindowRequests)
        {
            ReadAcknowledgement();
        }

        _connection.Send(request);
        _recordsInFlight.Enqueue(records);
    }

    private void ReadAcknowledgement()
    {
        var response = KafkaClient.ReadResponse(_connection);
        _ = response.Int32();
        _ = response.String();
        _ = response.Int32();
        _ = response.Int32();
        var error = response.Int16();
        if (error != 0)
        {
            throw new BrokerException($"Produce to {_topic}: error {error}");
        }

        Acknowledged += _recordsInFlight.Dequeue();
    }
}
