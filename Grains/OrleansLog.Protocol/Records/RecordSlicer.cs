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
        var at = Start;
        var length = ReadInt(ref at);
        if ((uint)length > (uint)(_records.Length - at)) throw new CorruptRecordException($"A record of {length} bytes where {_records.Length - at} are left", at);
        End = at + length;
        // The attributes of a record, of which there are none.
        at++;
        TimestampDelta = ReadLong(ref at);
        AfterTimestamp = at;
        OffsetDelta = ReadInt(ref at);
        KeyLength = Math.Max(-1, ReadInt(ref at));
        KeyStart = at;
        if (KeyLength > End - at) throw new CorruptRecordException($"A key of {KeyLength} bytes where {End - at} are left", at);
        at += Math.Max(0, KeyLength);
        ValueIsNull = ReadInt(ref at) < 0;
        return at <= End ? true : throw new CorruptRecordException("A record is shorter than what it holds", Start);
    }

    // Most numbers take one byte or two.
    private readonly int ReadInt(ref int at)
    {
        var bytes = _records;
        if ((uint)(at + 1) < (uint)bytes.Length)
        {
            uint first = bytes[at], second = bytes[at + 1];
            if (first < 0x80)
            {
                at++;
                return Varint.UnZigZag(first);
            }

            if (second < 0x80)
            {
                at += 2;
                return Varint.UnZigZag((first & 0x7f) | (second << 7));
            }
        }

        var length = at <= bytes.Length ? Varint.TryRead(bytes[at..], out int value) : Malformed(out value);
        at += length > 0 ? length : throw new CorruptRecordException("A record holds a malformed number", at);
        return value;
    }

    private readonly long ReadLong(ref int at)
    {
        var bytes = _records;
        if ((uint)(at + 1) < (uint)bytes.Length && bytes[at + 1] < 0x80) return ReadInt(ref at);
        var length = at <= bytes.Length ? Varint.TryRead(bytes[at..], out long value) : Malformed(out value);
        at += length > 0 ? length : throw new CorruptRecordException("A record holds a malformed number", at);
        return value;
    }

    private static int Malformed<T>(out T value)
        where T : struct
    {
        value = default;
        return 0;
    }
}
