using System.Buffers.Binary;

namespace OrleansLog.Protocol.Records;

/// <summary>
/// The end of a transaction in a partition (KIP-98): a control batch of one record, whose key says whether the transaction
/// was committed and whose value which coordinator said so.
/// </summary>
/// <param name="ProducerId">Whose transaction it was.</param>
/// <param name="ProducerEpoch">Batches of an earlier epoch are refused from here on.</param>
/// <param name="IsCommit">Whether the transaction counts, or was aborted.</param>
/// <param name="CoordinatorEpoch">The leader epoch of the coordinator's partition. A marker of an earlier one is refused.</param>
public readonly record struct EndTransactionMarker(long ProducerId, short ProducerEpoch, bool IsCommit, int CoordinatorEpoch)
{
    /// <summary>The most bytes from the start of a batch that <see cref="TryRead"/> has to see.</summary>
    public const int ReadBytes = RecordBatchHeader.Size + 48;

    private const short Version = 0;
    private const short Abort = 0;
    private const short Commit = 1;
    private const int FieldBytes = 2 * sizeof(short);
    private const int ValueBytes = sizeof(short) + sizeof(int);

    /// <summary>The batch, without its place in a log.</summary>
    /// <param name="timestampMs">When the transaction ended, in milliseconds since 1970 UTC.</param>
    public byte[] Encode(long timestampMs)
    {
        Span<byte> key = stackalloc byte[FieldBytes];
        BinaryPrimitives.WriteInt16BigEndian(key, Version);
        BinaryPrimitives.WriteInt16BigEndian(key[sizeof(short)..], IsCommit ? Commit : Abort);
        Span<byte> value = stackalloc byte[ValueBytes];
        BinaryPrimitives.WriteInt16BigEndian(value, Version);
        BinaryPrimitives.WriteInt32BigEndian(value[sizeof(short)..], CoordinatorEpoch);
        using var builder = new RecordBatchBuilder(1024)
        {
            ProducerId = ProducerId,
            ProducerEpoch = ProducerEpoch,
            IsTransactional = true,
            IsControl = true,
        };
        builder.TryAppend(timestampMs, key, keyIsNull: false, value, valueIsNull: false, []);
        return builder.Build().ToArray();
    }

    /// <summary>Reads a marker; false for a batch that is none. The batch may be cut off after <see cref="ReadBytes"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> batch, out EndTransactionMarker marker)
    {
        marker = default;
        if (RecordBatchHeader.TryRead(batch, out var header) != ErrorCode.None || !header.IsControl || header.RecordCount != 1) return false;
        var rest = batch[RecordBatchHeader.Size..Math.Min(batch.Length, header.SizeInBytes)];
        if (!TrySkip(ref rest, out _) || rest.IsEmpty) return false;
        rest = rest[1..];
        if (!TrySkip(ref rest, out _) || !TrySkip(ref rest, out _)) return false;
        if (!TryTake(ref rest, out var key) || !TryTake(ref rest, out var value)) return false;
        if (key.Length < FieldBytes || value.Length < ValueBytes) return false;
        var type = BinaryPrimitives.ReadInt16BigEndian(key[sizeof(short)..]);
        marker = new(header.ProducerId, header.ProducerEpoch, type == Commit, BinaryPrimitives.ReadInt32BigEndian(value[sizeof(short)..]));
        return type is Abort or Commit;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> rest, out long value)
    {
        var length = Varint.TryRead(rest, out value);
        rest = rest[Math.Max(0, length)..];
        return length > 0;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TrySkip(ref rest, out var length) || length < 0 || length > rest.Length) return false;
        bytes = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }
}
