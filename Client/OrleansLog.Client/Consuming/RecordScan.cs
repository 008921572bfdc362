using System.Runtime.InteropServices;
using System.Text;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client.Consuming;

/// <summary>
/// Reads the records of a fetched batch one by one, and keeps its place between two of them on the heap, as an
/// asynchronous reader must. (A <see cref="RecordReader"/> lives on the stack and reads a batch in one go.)
/// </summary>
internal sealed class RecordScan(FetchedBatch fetched)
{
    private int _nextBatchAt;
    private byte[] _bytes = [];
    private int _position;
    private int _end;
    private int _recordsLeft;
    private long _baseOffset;
    private long _baseTimestamp;
    private bool _hasAppendTime;

    public FetchedBatch Fetched => fetched;

    /// <summary>How many records were handed out, for the metrics.</summary>
    public int RecordsRead { get; set; }

    /// <summary>Reads the next record that is at or after the place that was asked for.</summary>
    public bool TryRead(out ScannedRecord record)
    {
        do
        {
            while (_recordsLeft == 0)
            {
                if (!TryOpen())
                {
                    record = default;
                    return false;
                }
            }
            _recordsLeft--;
            record = ReadOne();
        }
        while (record.Offset < fetched.BaseOffset.Value);
        return true;
    }

    private bool TryOpen()
    {
        if (!fetched.TryOpen(ref _nextBatchAt, out var header, out var records)) return false;
        MemoryMarshal.TryGetArray(records, out var segment);
        (_bytes, _position, _end) = (segment.Array!, segment.Offset, segment.Offset + segment.Count);
        (_recordsLeft, _baseOffset) = (header.RecordCount, header.BaseOffset.Value);
        _hasAppendTime = header.TimestampType == TimestampType.LogAppendTime;
        _baseTimestamp = _hasAppendTime ? header.MaxTimestamp : header.BaseTimestamp;
        return true;
    }

    private ScannedRecord ReadOne()
    {
        var end = ReadInt() is var size && size >= 0 && size <= _end - _position ? _position + size : throw Damaged();
        _position++;
        var timestampDelta = ReadLong();
        var offset = _baseOffset + ReadInt();
        var key = ReadBytes(end, out var hasKey);
        var value = ReadBytes(end, out var hasValue);
        var headerCount = ReadInt();
        if (_position > end || headerCount < 0) throw Damaged();
        var headers = _bytes.AsSpan(_position, end - _position);
        _position = end;
        return new ScannedRecord(offset, _hasAppendTime ? _baseTimestamp : _baseTimestamp + timestampDelta, key, hasKey, value, hasValue, headerCount, headers);
    }

    /// <summary>The headers of the record that was read last.</summary>
    public RecordHeader[] ReadHeaders(in ScannedRecord record)
    {
        if (record.HeaderCount == 0) return [];
        if (record.HeaderCount > record.Headers.Length) throw Damaged();
        var headers = new RecordHeader[record.HeaderCount];
        var after = _position;
        var end = _position;
        _position -= record.Headers.Length;
        for (var i = 0; i < headers.Length; i++)
        {
            var key = Encoding.UTF8.GetString(ReadBytes(end, out _));
            var value = ReadBytes(end, out var hasValue);
            headers[i] = new RecordHeader(key, hasValue ? value.ToArray() : default(ReadOnlyMemory<byte>?));
        }
        _position = after;
        return headers;
    }

    private ReadOnlySpan<byte> ReadBytes(int end, out bool isPresent)
    {
        var length = ReadInt();
        isPresent = length >= 0;
        if (!isPresent) return [];
        if (length > end - _position) throw Damaged();
        var bytes = _bytes.AsSpan(_position, length);
        _position += length;
        return bytes;
    }

    private int ReadInt()
    {
        if (_position < _end && _bytes[_position] < 0x80) return Varint.UnZigZag((uint)_bytes[_position++]);
        var length = Varint.TryRead(_bytes.AsSpan(_position, Math.Max(0, _end - _position)), out int value);
        _position += length > 0 ? length : throw Damaged();
        return value;
    }

    private long ReadLong()
    {
        if (_position < _end && _bytes[_position] < 0x80) return Varint.UnZigZag((ulong)_bytes[_position++]);
        var length = Varint.TryRead(_bytes.AsSpan(_position, Math.Max(0, _end - _position)), out long value);
        _position += length > 0 ? length : throw Damaged();
        return value;
    }

    private OrleansLogException Damaged() =>
        FetchErrors.Damaged(fetched.Partition, new Offset(_baseOffset), "its records are not what its header announces");
}

/// <summary>One record where it lies; valid until its batch is released.</summary>
internal readonly ref struct ScannedRecord(
    long offset, long timestampMs, ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value, bool hasValue, int headerCount, ReadOnlySpan<byte> headers)
{
    public readonly long Offset = offset;
    public readonly long TimestampMs = timestampMs;
    public readonly ReadOnlySpan<byte> Key = key;
    public readonly bool HasKey = hasKey;
    public readonly ReadOnlySpan<byte> Value = value;
    public readonly bool HasValue = hasValue;
    public readonly int HeaderCount = headerCount;
    public readonly ReadOnlySpan<byte> Headers = headers;
}
