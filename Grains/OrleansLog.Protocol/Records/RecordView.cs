using System.Text;

namespace OrleansLog.Protocol.Records;

/// <summary>One record as it lies in the buffer of its batch, valid as long as that buffer.</summary>
public readonly ref struct RecordView
{
    public Offset Offset { get; internal init; }

    /// <summary>Milliseconds since 1970 UTC; what they mean, the batch's <see cref="TimestampType"/> says.</summary>
    public long Timestamp { get; internal init; }

    /// <summary>The key, empty if it is null.</summary>
    public ReadOnlySpan<byte> Key { get; internal init; }

    public bool KeyIsNull { get; internal init; }

    /// <summary>The value, empty if it is null.</summary>
    public ReadOnlySpan<byte> Value { get; internal init; }

    public bool ValueIsNull { get; internal init; }

    public int HeaderCount { get; internal init; }

    /// <summary>The headers in their order, for <c>foreach</c>.</summary>
    public RecordHeaderEnumerator Headers => new(HeaderBytes, HeaderCount);

    internal ReadOnlySpan<byte> HeaderBytes { get; init; }

    /// <summary>Copies the headers. Allocates, unless there are none.</summary>
    public RecordHeader[] CopyHeaders()
    {
        var copies = HeaderCount == 0 ? [] : new RecordHeader[HeaderCount];
        var i = 0;
        foreach (var header in Headers)
        {
            copies[i++] = new(header.Key, header.ValueIsNull ? default(ReadOnlyMemory<byte>?) : header.Value.ToArray());
        }
        return copies;
    }
}

/// <summary>One header as it lies in the buffer of its batch.</summary>
public readonly ref struct RecordHeaderView
{
    public ReadOnlySpan<byte> KeyUtf8 { get; internal init; }

    /// <summary>The value, empty if it is null.</summary>
    public ReadOnlySpan<byte> Value { get; internal init; }

    public bool ValueIsNull { get; internal init; }

    /// <summary>The name as a string: allocated anew each time. Bytes that are not UTF-8 become U+FFFD.</summary>
    public string Key => Encoding.UTF8.GetString(KeyUtf8);
}

/// <summary>Walks the headers of one record, which its reader has checked already.</summary>
public ref struct RecordHeaderEnumerator
{
    private RecordCursor _cursor;
    private int _left;

    internal RecordHeaderEnumerator(ReadOnlySpan<byte> headers, int count)
    {
        _cursor = new RecordCursor(headers, 0);
        _left = count;
    }

    public RecordHeaderView Current { get; private set; }

    public readonly RecordHeaderEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }
        _left--;
        var key = _cursor.Take(_cursor.ReadVarint());
        var value = _cursor.ReadBytes(out var valueIsNull);
        Current = new RecordHeaderView { KeyUtf8 = key, Value = value, ValueIsNull = valueIsNull };
        return true;
    }
}
