using System.Text;

namespace OrleansLog.Protocol.Records;

/// <summary>
/// Encodes records straight into the bytes of one batch, without an allocation per record. A producer fills it, sends
/// what <see cref="Build"/> returns, and uses it again after <see cref="Reset"/>. It owns its pooled buffers until
/// disposed of. One caller at a time.
/// </summary>
/// <param name="sizeInBytesMax">What the batch may measure before compression, header included.</param>
public sealed class RecordBatchBuilder(int sizeInBytesMax) : IDisposable
{
    private readonly PooledBufferWriter _batch = new();
    private readonly PooledBufferWriter _compressed = new();
    private long _baseTimestampMs;
    private long _maxTimestampMs;

    public int SizeInBytesMax => sizeInBytesMax;

    public int RecordCount { get; private set; }

    /// <summary>What the batch measures now before compression, header included.</summary>
    public int SizeInBytes => Math.Max(_batch.WrittenCount, RecordBatchHeader.Size);

    /// <summary>Set by an idempotent producer, with the epoch and the sequence, before <see cref="Build"/>.</summary>
    public long ProducerId { get; set; } = RecordBatchHeader.NoProducerId;

    public short ProducerEpoch { get; set; } = RecordBatchHeader.NoProducerEpoch;
    public int BaseSequence { get; set; } = RecordBatchHeader.NoSequence;
    public bool IsTransactional { get; set; }

    /// <summary>Whether it holds a broker's own records, such as the end of a transaction.</summary>
    internal bool IsControl { get; set; }

    /// <summary>
    /// What <see cref="SizeInBytes"/> would be after this record, exactly. The parameters are those of
    /// <see cref="TryAppend"/>.
    /// </summary>
    public long EstimatedSizeWith(
        long timestampMs,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        ReadOnlySpan<byte> value,
        bool valueIsNull,
        ReadOnlySpan<RecordHeader> headers)
    {
        var bodySize = BodySize(timestampMs, key, keyIsNull, value, valueIsNull, headers);
        return SizeInBytes + Varint.SizeOf(bodySize) + bodySize;
    }

    /// <summary>
    /// Adds a record, unless the batch would outgrow <see cref="SizeInBytesMax"/>. An empty batch takes any record.
    /// </summary>
    /// <param name="timestampMs">Milliseconds since 1970 UTC.</param>
    /// <param name="key">Copied. Must be empty if <paramref name="keyIsNull"/>.</param>
    /// <param name="keyIsNull">Whether the record has no key, which is not the same as an empty one.</param>
    /// <param name="value">Copied. Must be empty if <paramref name="valueIsNull"/>.</param>
    /// <param name="valueIsNull">Whether the value is null: the mark of a deleted key in a compacted topic.</param>
    /// <param name="headers">Copied.</param>
    public bool TryAppend(
        long timestampMs,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        ReadOnlySpan<byte> value,
        bool valueIsNull,
        ReadOnlySpan<RecordHeader> headers)
    {
        var bodySize = BodySize(timestampMs, key, keyIsNull, value, valueIsNull, headers);
        var recordSize = Varint.SizeOf(bodySize) + bodySize;
        if (RecordCount > 0 && SizeInBytes + recordSize > sizeInBytesMax)
        {
            return false;
        }
        Start(timestampMs);
        var destination = _batch.GetSpan(ToArrayLength(recordSize));
        destination = Write(destination, bodySize);
        destination[0] = 0;
        destination = Write(destination[1..], timestampMs - _baseTimestampMs);
        destination = Write(destination, RecordCount);
        destination = WriteBytes(destination, key, keyIsNull);
        destination = WriteBytes(destination, value, valueIsNull);
        destination = Write(destination, headers.Length);
        WriteHeaders(destination, headers);
        _batch.Advance((int)recordSize);
        _maxTimestampMs = Math.Max(_maxTimestampMs, timestampMs);
        RecordCount++;
        return true;
    }

    /// <summary>
    /// Completes the batch: compresses the records if asked to, writes the header and the CRC. More records may be
    /// added and the batch built again.
    /// </summary>
    /// <returns>The batch, valid until the next call of any method.</returns>
    /// <exception cref="InvalidOperationException">There is no record.</exception>
    public ReadOnlyMemory<byte> Build(IRecordCompressor? compressor = null)
    {
        if (RecordCount == 0)
        {
            throw new InvalidOperationException("A batch needs at least one record: append one before building it.");
        }
        if (compressor is null or { Type: CompressionType.None })
        {
            return Complete(_batch, CompressionType.None);
        }
        _compressed.Clear();
        ReserveHeader(_compressed);
        compressor.Compress(_batch.WrittenSpan[RecordBatchHeader.Size..], _compressed);
        return Complete(_compressed, compressor.Type);
    }

    /// <summary>Empties the batch and forgets the producer's fields. Buffers of the usual size are kept.</summary>
    public void Reset()
    {
        // The pool rounds sizes up to powers of two, so the buffer of a full batch may be twice as long as the limit.
        var keepBytesMax = (int)Math.Min(2L * Math.Max(sizeInBytesMax, RecordBatchHeader.Size), int.MaxValue);
        _batch.Clear(keepBytesMax);
        _compressed.Clear(keepBytesMax);
        RecordCount = 0;
        ProducerId = RecordBatchHeader.NoProducerId;
        ProducerEpoch = RecordBatchHeader.NoProducerEpoch;
        BaseSequence = RecordBatchHeader.NoSequence;
        IsTransactional = IsControl = false;
    }

    public void Dispose()
    {
        Reset();
        _batch.Dispose();
        _compressed.Dispose();
    }

    private void Start(long timestampMs)
    {
        if (RecordCount > 0)
        {
            return;
        }
        _batch.Clear();
        ReserveHeader(_batch);
        _baseTimestampMs = _maxTimestampMs = timestampMs;
    }

    private static void ReserveHeader(PooledBufferWriter buffer)
    {
        buffer.GetSpan(RecordBatchHeader.Size);
        buffer.Advance(RecordBatchHeader.Size);
    }

    private Memory<byte> Complete(PooledBufferWriter buffer, CompressionType compression)
    {
        var flags = (IsTransactional ? RecordBatchHeader.TransactionalFlag : 0) | (IsControl ? RecordBatchHeader.ControlFlag : 0);
        var header = new RecordBatchHeader
        {
            BatchLength = buffer.WrittenCount - RecordBatchHeader.LengthPrefixSize,
            PartitionLeaderEpoch = LeaderEpoch.None,
            Magic = RecordBatchHeader.CurrentMagic,
            Attributes = (short)((int)compression | flags),
            LastOffsetDelta = RecordCount - 1,
            BaseTimestamp = _baseTimestampMs,
            MaxTimestamp = _maxTimestampMs,
            ProducerId = ProducerId,
            ProducerEpoch = ProducerEpoch,
            BaseSequence = BaseSequence,
            RecordCount = RecordCount,
        };
        header.Write(buffer.WrittenSpan);
        RecordBatch.WriteCrc(buffer.WrittenSpan);
        return buffer.WrittenMemory;
    }

    private long BodySize(
        long timestampMs,
        ReadOnlySpan<byte> key,
        bool keyIsNull,
        ReadOnlySpan<byte> value,
        bool valueIsNull,
        ReadOnlySpan<RecordHeader> headers)
    {
        var timestampDelta = RecordCount == 0 ? 0 : timestampMs - _baseTimestampMs;
        return sizeof(byte) + Varint.SizeOf(timestampDelta) + Varint.SizeOf(RecordCount)
            + BytesSize(key.Length, keyIsNull) + BytesSize(value.Length, valueIsNull) + HeadersSize(headers);
    }

    private static long BytesSize(int length, bool isNull) => isNull ? 1 : Varint.SizeOf(length) + (long)length;

    private static long HeadersSize(ReadOnlySpan<RecordHeader> headers)
    {
        long size = Varint.SizeOf(headers.Length);
        foreach (ref readonly var header in headers)
        {
            size += BytesSize(Encoding.UTF8.GetByteCount(header.Key), isNull: false)
                + BytesSize(header.Value.GetValueOrDefault().Length, header.Value is null);
        }
        return size;
    }

    private static int ToArrayLength(long size) => size <= Array.MaxLength
        ? (int)size
        : throw new ArgumentException($"A record of {size} bytes does not fit into any batch.");

    private static Span<byte> Write(Span<byte> destination, long value) =>
        destination[Varint.Write(destination, value)..];

    private static Span<byte> WriteBytes(Span<byte> destination, ReadOnlySpan<byte> bytes, bool isNull)
    {
        if (isNull)
        {
            return Write(destination, -1);
        }
        destination = Write(destination, bytes.Length);
        bytes.CopyTo(destination);
        return destination[bytes.Length..];
    }

    private static void WriteHeaders(Span<byte> destination, ReadOnlySpan<RecordHeader> headers)
    {
        foreach (ref readonly var header in headers)
        {
            destination = Write(destination, Encoding.UTF8.GetByteCount(header.Key));
            destination = destination[Encoding.UTF8.GetBytes(header.Key, destination)..];
            destination = WriteBytes(destination, header.Value.GetValueOrDefault().Span, header.Value is null);
        }
    }
}
