using System.Buffers.Binary;
using System.Net;
using OrleansLog.Benchmarks.Clients.Kafka;

namespace OrleansLog.Benchmarks.Clients.RabbitMq;

/// <summary>
/// Publish frames. A batch made beforehand is one sub-entry (uncompressed), which the broker stores as it is and
/// confirms once; records sent one by one are entries of their own, each confirmed.
/// </summary>
internal sealed class RabbitMqProducerLink : IProducerLink
{
    private const byte PublisherId = 1;
    private const byte SubEntryWithoutCompression = 0x80;
    private const int PublishingIdAt = 4 + 2 + 2 + 1 + 4;

    private readonly StreamConnection _connection;
    private readonly ProducerShape _shape;
    private readonly StreamFrame _frame = new();
    private readonly byte[] _filler;
    private readonly byte[] _prepared;
    private readonly Queue<int> _entryRecordsInFlight = new();
    private long _publishingId;

    public RabbitMqProducerLink(IPEndPoint endPoint, string topic, ProducerShape shape)
    {
        _connection = new StreamConnection(endPoint);
        (_shape, _filler) = (shape, RecordBatchMaker.Filler(shape.RecordBytes));
        _connection.Request(_frame.Begin(StreamCommand.DeclarePublisher).Int32(1).UInt8(PublisherId).String("").String(topic));
        _prepared = SubEntry(shape.BatchRecords);
    }

    public long Acknowledged { get; private set; }

    public int SendBatch()
    {
        AwaitRoom(1);
        BinaryPrimitives.WriteInt64BigEndian(_prepared.AsSpan(PublishingIdAt), ++_publishingId);
        _connection.Send(_prepared);
        _entryRecordsInFlight.Enqueue(_shape.BatchRecords);
        return _shape.BatchRecords;
    }

    public void Send(ReadOnlySpan<long> stamps)
    {
        AwaitRoom(stamps.Length);
        _frame.Begin(StreamCommand.Publish).UInt8(PublisherId).Int32(stamps.Length);
        foreach (var stamp in stamps)
        {
            _frame.Int64(++_publishingId);
            WriteRecord(stamp);
            _entryRecordsInFlight.Enqueue(1);
        }

        _connection.Send(_frame.End());
    }

    public void AwaitAcknowledgements()
    {
        while (_entryRecordsInFlight.Count > 0)
        {
            ReadConfirm();
        }
    }

    public void Dispose() => _connection.Dispose();

    private byte[] SubEntry(int records)
    {
        var dataBytes = records * (4 + _shape.RecordBytes);
        _frame.Begin(StreamCommand.Publish).UInt8(PublisherId).Int32(1).Int64(0);
        _frame.UInt8(SubEntryWithoutCompression).UInt16((ushort)records).Int32(dataBytes).Int32(dataBytes);
        for (var i = 0; i < records; i++)
        {
            WriteRecord(0);
        }

        return _frame.End().ToArray();
    }

    private void WriteRecord(long stamp)
    {
        _frame.Int32(_shape.RecordBytes);
        var value = _frame.Take(_shape.RecordBytes);
        _filler.CopyTo(value);
        BinaryPrimitives.WriteInt64LittleEndian(value, stamp);
    }

    private void AwaitRoom(int entries)
    {
        while (_entryRecordsInFlight.Count > 0 && _entryRecordsInFlight.Count + entries > _shape.WindowRequests)
        {
            ReadConfirm();
        }
    }

    // Publishing ids are confirmed in the order of publishing: their number is enough.
    private void ReadConfirm()
    {
        var confirm = _connection.ReadFrame(StreamCommand.PublishConfirm);
        for (var left = BinaryPrimitives.ReadInt32BigEndian(confirm[1..]); left > 0; left--)
        {
            Acknowledged += _entryRecordsInFlight.Dequeue();
        }
    }
}
