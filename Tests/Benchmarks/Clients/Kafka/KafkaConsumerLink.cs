using System.Buffers.Binary;
using System.Net;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Benchmarks.Clients.Kafka;

/// <summary>Fetch requests without a session, one at a time, each a long poll; batches are counted by their headers.</summary>
internal sealed class KafkaConsumerLink(IPEndPoint endPoint, string topic, int fetchBytes) : IConsumerLink
{
    private const int LongPollMs = 500;
    private readonly Connection _connection = new(endPoint, (2 * fetchBytes) + 4096);
    private readonly KafkaWriter _writer = new();
    private long _offset;

    public long BytesReceived => _connection.BytesReceived;

    public int Receive(Action<long>? onStamp)
    {
        _connection.Send(_writer.Begin(1, 11)
            .Int32(-1).Int32(LongPollMs).Int32(1).Int32(fetchBytes).Int8(0).Int32(0).Int32(-1)
            .Int32(1).String(topic).Int32(1).Int32(0).Int32(-1).Int64(_offset).Int64(-1).Int32(fetchBytes)
            .Int32(0).String("").End());
        var response = KafkaClient.ReadResponse(_connection);
        return CountBatches(RecordsOf(ref response), onStamp);
    }

    public void Dispose() => _connection.Dispose();

    private ReadOnlySpan<byte> RecordsOf(ref KafkaReader response)
    {
        _ = response.Int32(); // throttle time
        Check(response.Int16());
        _ = response.Int32(); // session
        if (response.Int32() == 0)
        {
            return default;
        }

        _ = response.String();
        _ = response.Int32();
        _ = response.Int32();
        Check(response.Int16());
        _ = response.Int64();
        _ = response.Int64();
        _ = response.Int64();
        for (var aborted = response.Int32(); aborted > 0; aborted--)
        {
            _ = response.Take(16);
        }

        _ = response.Int32(); // preferred read replica
        return response.Bytes();
    }

    private void Check(short error)
    {
        if (error != 0)
        {
            throw new BrokerException($"Fetch of {topic} at {_offset}: error {error}");
        }
    }

    // The last batch of an answer may be cut short; it comes again whole.
    private int CountBatches(ReadOnlySpan<byte> records, Action<long>? onStamp)
    {
        var count = 0;
        while (records.Length >= RecordBatchHeader.Size)
        {
            var size = RecordBatchHeader.LengthPrefixSize + BinaryPrimitives.ReadInt32BigEndian(records[8..]);
            if (size > records.Length)
            {
                break;
            }

            var inBatch = BinaryPrimitives.ReadInt32BigEndian(records[57..]);
            if (onStamp is not null)
            {
                ShowStamps(records[RecordBatchHeader.Size..size], inBatch, onStamp);
            }

            count += inBatch;
            _offset = BinaryPrimitives.ReadInt64BigEndian(records) + BinaryPrimitives.ReadInt32BigEndian(records[23..]) + 1;
            records = records[size..];
        }

        return count;
    }

    private static void ShowStamps(ReadOnlySpan<byte> records, int count, Action<long> onStamp)
    {
        for (; count > 0; count--)
        {
            var at = Varint.TryRead(records, out int bodyLength);
            var body = records.Slice(at, bodyLength);
            records = records[(at + bodyLength)..];
            var field = 2; // attributes and a timestamp delta of 0
            field += Varint.TryRead(body[field..], out int _);
            field += Varint.TryRead(body[field..], out int _);
            field += Varint.TryRead(body[field..], out int _);
            onStamp(BinaryPrimitives.ReadInt64LittleEndian(body[field..]));
        }
    }
}
