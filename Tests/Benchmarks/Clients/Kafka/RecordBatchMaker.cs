using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Benchmarks.Clients.Kafka;

/// <summary>
/// Record batches of version 2 without keys, headers or compression, all values of one size. Kept apart from the
/// product's own builder so that a fault of that one shows as a broker's refusal here.
/// </summary>
internal sealed class RecordBatchMaker(int recordBytes)
{
    private readonly byte[] _filler = Filler(recordBytes);
    private byte[] _buffer = new byte[4096];

    /// <summary>A batch of one record for each stamp, which stands in the first eight bytes of the value. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Make(ReadOnlySpan<long> stamps)
    {
        var most = RecordBatchHeader.Size + (stamps.Length * (recordBytes + 24));
        if (_buffer.Length < most)
        {
            _buffer = new byte[most];
        }

        var length = RecordBatchHeader.Size;
        for (var i = 0; i < stamps.Length; i++)
        {
            length += WriteRecord(_buffer.AsSpan(length), i, stamps[i]);
        }

        WriteHeader(_buffer.AsSpan(0, length), stamps.Length);
        return _buffer.AsSpan(0, length);
    }

    // Length, attributes, timestamp delta, offset delta, null key, value, no headers.
    private int WriteRecord(Span<byte> destination, int offsetDelta, long stamp)
    {
        var bodyLength = 1 + 1 + Varint.SizeOf(offsetDelta) + 1 + Varint.SizeOf(recordBytes) + recordBytes + 1;
        var at = Varint.Write(destination, bodyLength);
        destination[at++] = 0;
        destination[at++] = 0;
        at += Varint.Write(destination[at..], offsetDelta);
        at += Varint.Write(destination[at..], -1);
        at += Varint.Write(destination[at..], recordBytes);
        _filler.CopyTo(destination[at..]);
        BinaryPrimitives.WriteInt64LittleEndian(destination[at..], stamp);
        at += recordBytes;
        destination[at++] = 0;
        return at;
    }

    private static void WriteHeader(Span<byte> batch, int count)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var writer = batch;
        Put64(ref writer, 0);
        Put32(ref writer, batch.Length - RecordBatchHeader.LengthPrefixSize);
        Put32(ref writer, -1);
        writer[0] = (byte)RecordBatchHeader.CurrentMagic;
        var crcField = writer[1..];
        var covered = writer[5..];
        writer = covered;
        Put16(ref writer, 0);
        Put32(ref writer, count - 1);
        Put64(ref writer, now);
        Put64(ref writer, now);
        Put64(ref writer, RecordBatchHeader.NoProducerId);
        Put16(ref writer, RecordBatchHeader.NoProducerEpoch);
        Put32(ref writer, RecordBatchHeader.NoSequence);
        Put32(ref writer, count);
        BinaryPrimitives.WriteUInt32BigEndian(crcField, Crc32C.Compute(covered));
    }

    private static void Put16(ref Span<byte> destination, short value)
    {
        BinaryPrimitives.WriteInt16BigEndian(destination, value);
        destination = destination[2..];
    }

    private static void Put32(ref Span<byte> destination, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination, value);
        destination = destination[4..];
    }

    private static void Put64(ref Span<byte> destination, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, value);
        destination = destination[8..];
    }

    /// <summary>Bytes that look like text: they neither compress to nothing nor cost anything to make again.</summary>
    public static byte[] Filler(int bytes)
    {
        var random = new Random(20_260_101);
        return [.. Enumerable.Range(0, bytes).Select(_ => (byte)random.Next(' ', '~'))];
    }
}
