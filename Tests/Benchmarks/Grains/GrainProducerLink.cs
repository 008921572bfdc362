using OrleansLog.Benchmarks.Clients;
using OrleansLog.Benchmarks.Clients.Kafka;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Benchmarks.Grains;

/// <summary>Produce requests through a transport of the client library, a window of them at a time.</summary>
internal sealed class GrainProducerLink : IProducerLink
{
    private readonly IClusterTransport _transport;
    private readonly Lane _lane = Lane.Open();
    private readonly string _topic;
    private readonly ProducerShape _shape;
    private readonly RecordBatchMaker _batches;
    private readonly byte[] _prepared;
    private readonly Queue<(Task<ResponseFrame> Answer, int Records)> _inFlight = new();

    public GrainProducerLink(IClusterTransport transport, string topic, ProducerShape shape)
    {
        (_transport, _topic, _shape, _batches) = (transport, topic, shape, new RecordBatchMaker(shape.RecordBytes));
        _prepared = _batches.Make(new long[shape.BatchRecords]).ToArray();
    }

    public long Acknowledged { get; private set; }

    public int SendBatch()
    {
        SendRequest(_prepared, _shape.BatchRecords);
        return _shape.BatchRecords;
    }

    public void Send(ReadOnlySpan<long> stamps) => SendRequest(_batches.Make(stamps).ToArray(), stamps.Length);

    public void AwaitAcknowledgements()
    {
        while (_inFlight.Count > 0)
        {
            ReadAcknowledgement();
        }
    }

    public void Dispose() => _transport.CloseLane(_lane);

    private void SendRequest(byte[] batch, int records)
    {
        while (_inFlight.Count >= _shape.WindowRequests)
        {
            ReadAcknowledgement();
        }

        _inFlight.Enqueue((_transport.SendAsync(BrokerId.None, _lane, new Request(_topic, batch), default).AsTask(), records));
    }

    private void ReadAcknowledgement()
    {
        var (answer, records) = _inFlight.Dequeue();
        using var frame = answer.GetAwaiter().GetResult();
        var reader = new WireReader(frame.Body, frame.Version, isFlexible: false);
        var error = reader.Read<ProduceResponse>().Responses[0].PartitionResponses[0].ErrorCode;
        if (error != ErrorCode.None)
        {
            throw new BrokerException($"Produce to {_topic}: {error}");
        }

        Acknowledged += records;
    }

    private sealed class Request(string topic, byte[] batch) : OutgoingRequest
    {
        private const short Version = 7;

        public override ApiKey Api => ApiKey.Produce;

        public override short VersionMin => Version;

        public override short VersionMax => Version;

        public override void WriteBody(short version, FrameBuilder destination)
        {
            var writer = new WireWriter(destination, version, isFlexible: false);
            writer.WriteNullableString(null);
            writer.WriteInt16(1);
            writer.WriteInt32(30_000);
            writer.WriteArrayCount(1);
            writer.WriteString(topic);
            writer.WriteArrayCount(1);
            writer.WriteInt32(0);
            writer.WriteBytesLength(batch.Length);
            writer.Flush();
            destination.Append(batch);
        }
    }
}
