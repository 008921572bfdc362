using System.Buffers.Binary;

namespace OrleansLog.Protocol.Records;

/// <summary>
/// The fixed 61 bytes at the start of a record batch of version 2, KIP-98's format
/// (https://kafka.apache.org/documentation/#recordbatch). Offsets and timestamps of its records are relative to it.
/// </summary>
public readonly struct RecordBatchHeader
{
    /// <summary>Bytes in the header.</summary>
    public const int Size = 61;

    /// <summary>Bytes that <see cref="BatchLength"/> leaves out: the base offset and the length itself.</summary>
    public const int LengthPrefixSize = 12;

    /// <summary>The one version of the format that is read and written.</summary>
    public const sbyte CurrentMagic = 2;

    /// <summary>The <see cref="ProducerId"/> of a producer that is not idempotent.</summary>
    public const long NoProducerId = -1;

    /// <summary>The <see cref="ProducerEpoch"/> of a producer that is not idempotent.</summary>
    public const short NoProducerEpoch = -1;

    /// <summary>The <see cref="BaseSequence"/> of a producer that is not idempotent.</summary>
    public const int NoSequence = -1;

    /// <summary>A timestamp that is not known.</summary>
    public const long NoTimestamp = -1;

    internal const int BaseOffsetAt = 0;
    internal const int BatchLengthAt = 8;
    internal const int PartitionLeaderEpochAt = 12;
    internal const int MagicAt = 16;
    internal const int CrcAt = 17;
    internal const int AttributesAt = 21;
    internal const int LastOffsetDeltaAt = 23;
    internal const int BaseTimestampAt = 27;
    internal const int MaxTimestampAt = 35;
    internal const int ProducerIdAt = 43;
    internal const int ProducerEpochAt = 51;
    internal const int BaseSequenceAt = 53;
    internal const int RecordCountAt = 57;

    internal const short CompressionMask = 0x07;
    internal const short LogAppendTimeFlag = 0x08;
    internal const short TransactionalFlag = 0x10;
    internal const short ControlFlag = 0x20;
    internal const short DeleteHorizonFlag = 0x40;

    /// <summary>The offset of the first record, or where that record was before compaction removed it.</summary>
    public Offset BaseOffset { get; init; }

    /// <summary>The length as on the wire, in bytes: all that follows the length field itself.</summary>
    public int BatchLength { get; init; }

    /// <summary>The epoch of the leader that appended the batch. Not covered by the CRC.</summary>
    public LeaderEpoch PartitionLeaderEpoch { get; init; }

    public sbyte Magic { get; init; }

    /// <summary>CRC-32C of everything from the attributes to the end of the batch.</summary>
    public uint Crc { get; init; }

    /// <summary>The bits that <see cref="Compression"/> and the properties after it spell out.</summary>
    public short Attributes { get; init; }

    /// <summary>The last record's offset less <see cref="BaseOffset"/>. Compaction keeps it.</summary>
    public int LastOffsetDelta { get; init; }

    /// <summary>What the timestamps of the records count from, in milliseconds since 1970 UTC.</summary>
    public long BaseTimestamp { get; init; }

    /// <summary>The latest timestamp in the batch, in milliseconds since 1970 UTC.</summary>
    public long MaxTimestamp { get; init; }

    public long ProducerId { get; init; }
    public short ProducerEpoch { get; init; }

    /// <summary>The sequence number of the first record, by which a broker drops what a producer sent twice.</summary>
    public int BaseSequence { get; init; }

    public int RecordCount { get; init; }

    /// <summary>The whole batch in bytes, header included.</summary>
    public int SizeInBytes => LengthPrefixSize + BatchLength;

    /// <summary>
    /// How the records are compressed. It may be a number without a name, until a check has refused it.
    /// </summary>
    public CompressionType Compression => (CompressionType)(Attributes & CompressionMask);

    public TimestampType TimestampType =>
        (Attributes & LogAppendTimeFlag) != 0 ? TimestampType.LogAppendTime : TimestampType.CreateTime;

    public bool IsTransactional => (Attributes & TransactionalFlag) != 0;

    /// <summary>Whether the batch holds a marker of the log's own, such as a transaction's end.</summary>
    public bool IsControl => (Attributes & ControlFlag) != 0;

    /// <summary>
    /// From when on compaction may remove the batch's tombstones, or the marker that it is, in milliseconds since 1970 UTC
    /// (KIP-534); null as long as none has set it. It takes the place of <see cref="BaseTimestamp"/>.
    /// </summary>
    public long? DeleteHorizonMs => (Attributes & DeleteHorizonFlag) != 0 ? BaseTimestamp : null;

    /// <summary>The header with a <see cref="DeleteHorizonMs"/>, from which the records' timestamps count from now on.</summary>
    public RecordBatchHeader WithDeleteHorizon(long horizonMs) =>
        this with { Attributes = (short)(Attributes | DeleteHorizonFlag), BaseTimestamp = horizonMs };

    public Offset LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>The offset that the batch after this one begins with.</summary>
    public Offset NextOffset => BaseOffset + (LastOffsetDelta + 1L);

    /// <summary>
    /// Reads the header at the start of <paramref name="source"/>, which may end before the batch does. A result of
    /// <see cref="ErrorCode.None"/> means that the magic is 2 and that <see cref="SizeInBytes"/> is at least
    /// <see cref="Size"/> and fits an int; all else is as found.
    /// </summary>
    /// <returns>
    /// <see cref="ErrorCode.InvalidRecord"/> for the formats before version 2, <see cref="ErrorCode.CorruptMessage"/>
    /// for an unknown magic, an impossible length or too few bytes.
    /// </returns>
    public static ErrorCode TryRead(ReadOnlySpan<byte> source, out RecordBatchHeader header)
    {
        header = default;
        if (source.Length <= MagicAt)
        {
            return ErrorCode.CorruptMessage;
        }
        var magic = (sbyte)source[MagicAt];
        if (magic != CurrentMagic)
        {
            return magic is 0 or 1 ? ErrorCode.InvalidRecord : ErrorCode.CorruptMessage;
        }
        var length = BinaryPrimitives.ReadInt32BigEndian(source[BatchLengthAt..]);
        if (length is < Size - LengthPrefixSize or > int.MaxValue - LengthPrefixSize || source.Length < Size)
        {
            return ErrorCode.CorruptMessage;
        }
        header = Read(source[..Size]);
        return ErrorCode.None;
    }

    /// <summary>Writes all fields to the first <see cref="Size"/> bytes of <paramref name="destination"/>.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt32BigEndian(destination[RecordCountAt..], RecordCount);
        BinaryPrimitives.WriteInt64BigEndian(destination[BaseOffsetAt..], BaseOffset.Value);
        BinaryPrimitives.WriteInt32BigEndian(destination[BatchLengthAt..], BatchLength);
        BinaryPrimitives.WriteInt32BigEndian(destination[PartitionLeaderEpochAt..], PartitionLeaderEpoch.Value);
        destination[MagicAt] = (byte)Magic;
        BinaryPrimitives.WriteUInt32BigEndian(destination[CrcAt..], Crc);
        BinaryPrimitives.WriteInt16BigEndian(destination[AttributesAt..], Attributes);
        BinaryPrimitives.WriteInt32BigEndian(destination[LastOffsetDeltaAt..], LastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(destination[BaseTimestampAt..], BaseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(destination[MaxTimestampAt..], MaxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(destination[ProducerIdAt..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(destination[ProducerEpochAt..], ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(destination[BaseSequenceAt..], BaseSequence);
    }

    private static RecordBatchHeader Read(ReadOnlySpan<byte> source) => new()
    {
        BaseOffset = new(BinaryPrimitives.ReadInt64BigEndian(source[BaseOffsetAt..])),
        BatchLength = BinaryPrimitives.ReadInt32BigEndian(source[BatchLengthAt..]),
        PartitionLeaderEpoch = new(BinaryPrimitives.ReadInt32BigEndian(source[PartitionLeaderEpochAt..])),
        Magic = (sbyte)source[MagicAt],
        Crc = BinaryPrimitives.ReadUInt32BigEndian(source[CrcAt..]),
        Attributes = BinaryPrimitives.ReadInt16BigEndian(source[AttributesAt..]),
        LastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(source[LastOffsetDeltaAt..]),
        BaseTimestamp = BinaryPrimitives.ReadInt64BigEndian(source[BaseTimestampAt..]),
        MaxTimestamp = BinaryPrimitives.ReadInt64BigEndian(source[MaxTimestampAt..]),
        ProducerId = BinaryPrimitives.ReadInt64BigEndian(source[ProducerIdAt..]),
        ProducerEpoch = BinaryPrimitives.ReadInt16BigEndian(source[ProducerEpochAt..]),
        BaseSequence = BinaryPrimitives.ReadInt32BigEndian(source[BaseSequenceAt..]),
        RecordCount = BinaryPrimitives.ReadInt32BigEndian(source[RecordCountAt..]),
    };
}
