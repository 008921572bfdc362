using System.Buffers.Binary;

namespace OrleansLog.Protocol.Records;

/// <summary>
/// Walks the batches that lie one after another in a buffer, as in the answer to a fetch. A broker cuts such an answer
/// at a number of bytes, so a batch that is not whole at the end is left out. Only headers are read:
/// <see cref="RecordBatch.CheckIntegrity(ReadOnlySpan{byte})"/> tells whether a batch is sound.
/// </summary>
/// <param name="source">The batches.</param>
public ref struct RecordBatchEnumerator(ReadOnlySpan<byte> source)
{
    private readonly ReadOnlySpan<byte> _source = source;

    public RecordBatchView Current { get; private set; }

    /// <summary>
    /// Where the next batch starts, in bytes. After the last one, what is left from here on is the part of a batch
    /// that was cut off, if any.
    /// </summary>
    public int Position { get; private set; }

    public readonly RecordBatchEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next whole batch.</summary>
    /// <exception cref="CorruptRecordException">What comes next cannot be a batch of version 2.</exception>
    public bool MoveNext()
    {
        var rest = _source[Position..];
        if (!StartsWithWholeBatch(rest))
        {
            return false;
        }
        if (RecordBatchHeader.TryRead(rest, out var header) != ErrorCode.None)
        {
            throw new CorruptRecordException("What should be a record batch has another format", Position);
        }
        Current = new RecordBatchView { Header = header, Bytes = rest[..header.SizeInBytes], Position = Position };
        Position += header.SizeInBytes;
        return true;
    }

    private readonly bool StartsWithWholeBatch(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < RecordBatchHeader.LengthPrefixSize)
        {
            return false;
        }
        var length = BinaryPrimitives.ReadInt32BigEndian(rest[RecordBatchHeader.BatchLengthAt..]);
        if (length < 0)
        {
            throw new CorruptRecordException($"A record batch has the length {length}", Position);
        }
        return length <= rest.Length - RecordBatchHeader.LengthPrefixSize;
    }
}

/// <summary>One batch as it lies in a buffer, valid as long as that buffer.</summary>
public readonly ref struct RecordBatchView
{
    public RecordBatchHeader Header { get; internal init; }

    /// <summary>The whole batch.</summary>
    public ReadOnlySpan<byte> Bytes { get; internal init; }

    /// <summary>Where in the buffer the batch starts, in bytes.</summary>
    public int Position { get; internal init; }

    /// <summary>What follows the header: the records, compressed as <see cref="Header"/> says.</summary>
    public ReadOnlySpan<byte> Records => Bytes[RecordBatchHeader.Size..];
}
