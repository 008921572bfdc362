namespace OrleansLog.Protocol.Records;

/// <summary>
/// Reads the records of one batch, one after another, without allocating. It checks all that it reads, so it may be
/// given any bytes; the views that it returns point into them.
/// </summary>
public ref struct RecordReader
{
    private readonly RecordBatchHeader _batch;
    private readonly ReadOnlySpan<byte> _records;
    private int _position;
    private int _recordsRead;
    private int _lastOffsetDelta = -1;

    /// <param name="batch">The header of the batch.</param>
    /// <param name="records">What follows the header, decompressed.</param>
    public RecordReader(scoped in RecordBatchHeader batch, ReadOnlySpan<byte> records)
    {
        _batch = batch;
        _records = records;
    }

    /// <summary>Reads the next record; false if the batch has no more.</summary>
    /// <exception cref="CorruptRecordException">
    /// The bytes are not the records that the header announces. The position counts from the start of the records.
    /// The reader is of no use afterwards.
    /// </exception>
    public bool TryRead(out RecordView record)
    {
        if (_recordsRead >= _batch.RecordCount)
        {
            record = default;
            return _position == _records.Length ? false : throw TooManyBytes();
        }
        var outer = new RecordCursor(_records, _position);
        var size = outer.ReadVarint();
        var start = outer.Position;
        outer.Take(size);
        record = ReadBody(new RecordCursor(_records[..outer.Position], start));
        _position = outer.Position;
        _recordsRead++;
        return true;
    }

    private RecordView ReadBody(RecordCursor cursor)
    {
        cursor.ReadByte(); // Attributes of a record: none are defined.
        var timestampDelta = cursor.ReadVarlong();
        var offset = ReadOffset(ref cursor);
        var key = cursor.ReadBytes(out var keyIsNull);
        var value = cursor.ReadBytes(out var valueIsNull);
        var headerCount = cursor.ReadVarint();
        var headers = headerCount == 0 ? [] : ReadHeaders(ref cursor, headerCount);
        if (cursor.Remaining != 0)
        {
            throw cursor.Corrupt($"A record has {cursor.Remaining} bytes too many");
        }
        return new RecordView
        {
            Offset = offset,
            Timestamp = _batch.TimestampType == TimestampType.LogAppendTime
                ? _batch.MaxTimestamp
                : _batch.BaseTimestamp + timestampDelta,
            Key = key,
            KeyIsNull = keyIsNull,
            Value = value,
            ValueIsNull = valueIsNull,
            HeaderCount = headerCount,
            HeaderBytes = headers,
        };
    }

    private Offset ReadOffset(scoped ref RecordCursor cursor)
    {
        var delta = cursor.ReadVarint();
        if (delta <= _lastOffsetDelta || delta > _batch.LastOffsetDelta)
        {
            throw cursor.Corrupt($"A record has the offset delta {delta}, out of turn or beyond its batch");
        }
        _lastOffsetDelta = delta;
        return _batch.BaseOffset + delta;
    }

    private static ReadOnlySpan<byte> ReadHeaders(scoped ref RecordCursor cursor, int count)
    {
        // A header takes two bytes at least: a count beyond that is refused before anyone sizes an array by it.
        if (count < 0 || count > cursor.Remaining / 2)
        {
            throw cursor.Corrupt($"A record announces {count} headers in {cursor.Remaining} bytes");
        }
        var ahead = cursor;
        for (var i = 0; i < count; i++)
        {
            ahead.Take(ahead.ReadVarint());
            ahead.ReadBytes(out _);
        }
        return cursor.Take(ahead.Position - cursor.Position);
    }

    private readonly CorruptRecordException TooManyBytes() => new(
        $"A batch of {_batch.RecordCount} records has {_records.Length - _position} bytes after the last", _position);
}
