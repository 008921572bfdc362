using OrleansLog.Benchmarks.Clients;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Protocol.Records;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Benchmarks.Grains;

/// <summary>Fetch requests through a transport of the client library, one at a time; batches are counted by their headers.</summary>
internal sealed class GrainConsumerLink(IClusterTransport transport, string topic, int fetchBytes) : IConsumerLink
{
    private readonly Lane _lane = Lane.Open();
    private long _offset;

    public long BytesReceived { get; private set; }

    public int Receive(Action<long>? onStamp)
    {
        using var frame = transport.SendAsync(BrokerId.None, _lane, new Request(topic, _offset, fetchBytes), default).AsTask().GetAwaiter().GetResult();
        var reader = new WireReader(frame.Body, frame.Version, isFlexible: false);
        var partition = reader.Read<FetchResponse>().Responses[0].Partitions[0];
        BytesReceived += frame.Body.Length;
        return partition.ErrorCode == ErrorCode.None
            ? CountBatches((partition.Records ?? default).Span)
            : throw new BrokerException($"Fetch of {topic} at {_offset}: {partition.ErrorCode}");
    }

    public void Dispose() => transport.CloseLane(_lane);

    private int CountBatches(ReadOnlySpan<byte> records)
    {
        var count = 0;
        while (RecordBatchHeader.TryRead(records, out var batch) == ErrorCode.None && batch.SizeInBytes <= records.Length)
        {
            count += batch.RecordCount;
            _offset = batch.NextOffset.Value;
            records = records[batch.SizeInBytes..];
        }

        return count;
    }

    private sealed class Request(string topic, long offset, int fetchBytes) : OutgoingRequest
    {
        private const short Version = 11;

        public override ApiKey Api => ApiKey.Fetch;

        public override short VersionMin => Version;

        public override short VersionMax => Version;

        public override void WriteBody(short version, FrameBuilder destination)
        {
            var writer = new WireWriter(destination, version, isFlexible: false);
            writer.Write(new FetchRequest
            {
                MaxWaitMs = 500,
                MinBytes = 1,
                MaxBytes = fetchBytes,
                Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = offset, PartitionMaxBytes = fetchBytes }] }],
            });
            writer.Flush();
        }
    }
}
