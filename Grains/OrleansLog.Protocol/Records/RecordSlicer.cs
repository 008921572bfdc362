namespace OrleansLog.Protocol.Records;

/// <summary>
/// Steps from record to record and reads as much of each as it takes to keep it or leave it out: faster than
/// <see cref="RecordReader"/>, which reads all. It checks what it reads; the spans point into the caller's bytes.
/// </summary>
/// <param name="records">What follows the header of a batch, decompressed.</param>
/// <param name="count">How many records there are.</param>
public ref struct RecordSlicer(ReadOnlySpan<byte> records, int count)
{
    private readonly ReadOnlySpan<byte> _records = records;
    private int _left = count;

    /// <summary>Where the record begins, with the number that says how long it is.</summary>
    public int Start { get; private set; }

    /// <summary>Where it ends.</summary>
    public int End { get; private set; }

    /// <summary>Its time, counted from the batch's base timestamp, in milliseconds.</summary>
    public long TimestampDelta { get; private set; }

    /// <summary>Its offset, counted from the batch's base offset.</summary>
    public int OffsetDelta { get; private set; }

    /// <summary>Where what follows the timestamp begins: the offset first of all.</summary>
    public int AfterTimestamp { get; private set; }

    /// <summary>Where the key begins.</summary>
    public int KeyStart { get; private set; }

    /// <summary>The length of the key in bytes; -1 when the record has none.</summary>
    public int KeyLength { get; private set; }

    /// <summary>Whether the record has no value: it deletes its key from a compacted topic.</summary>
    public bool ValueIsNull { get; private set; }

    /// <summary>Goes to the next record; false after the last.</summary>
    /// <exception cref="CorruptRecordException">The bytes are no records, or not as many as there should be.</exception>
    public bool MoveNext()
    {
        if (_left <= 0) return End == _records.Length ? false : throw new CorruptRecordException("A batch has bytes after its last record", End);
        _left--;
        Start = End;
        var cursor = new RecordCursor(_records, Start);
        var length = cursor.ReadVarint();
        End = cursor.Position;
        cursor.Take(length);
        var body = new RecordCursor(_records[..cursor.Position], End);
        End = cursor.Position;
        body.ReadByte();
        TimestampDelta = body.ReadVarlong();
        AfterTimestamp = body.Position;
        OffsetDelta = body.ReadVarint();
        KeyLength = body.ReadVarint();
        KeyStart = body.Position;
        if (KeyLength >= 0) body.Take(KeyLength);
        else KeyLength = -1;
        ValueIsNull = body.ReadVarint() < 0;
        return true;
    }
}
