using System.Buffers.Binary;
using OrleansLog.Compression.Hashing;

namespace OrleansLog.Compression.Lz4;

/// <summary>
/// The descriptor that opens an LZ4 frame (LZ4 frame format description 1.6, "Frame Descriptor"), with the header
/// checksum over the descriptor alone, as KIP-57 asks of record batches.
/// </summary>
internal readonly record struct Lz4FrameHeader(
    bool BlocksAreIndependent, bool HasBlockChecksums, bool HasContentChecksum, long? ContentSize, int BlockSizeMax)
{
    public const uint Magic = 0x184D2204;

    /// <summary>Frames with these magics hold no records and are passed over; the lowest 4 bits are free.</summary>
    public const uint SkippableMagic = 0x184D2A50;

    /// <summary>Bytes of the header that <see cref="Write"/> writes, magic included.</summary>
    public const int WrittenSize = 7;

    private const int Version = 0b01 << 6;
    private const int IndependentFlag = 0x20, BlockChecksumFlag = 0x10, ContentSizeFlag = 0x08, ContentChecksumFlag = 0x04,
        ReservedFlag = 0x02, DictionaryFlag = 0x01;

    /// <summary>The smallest code of a block size: 64 KiB. Each further code is four times as much, up to 7: 4 MiB.</summary>
    private const int BlockSizeCodeMin = 4;

    /// <summary>The code of the smallest block size, up to 1 MiB, that holds <paramref name="length"/> bytes.</summary>
    public static int BlockSizeCodeFor(int length) => length <= SizeOf(4) ? 4 : length <= SizeOf(5) ? 5 : 6;

    public static int SizeOf(int blockSizeCode) => 1 << (2 * blockSizeCode + 8);

    /// <summary>
    /// Writes magic and descriptor: independent blocks (Kafka's Java client reads no others), no checksums (the batch
    /// has its own) and no content size.
    /// </summary>
    public static void Write(Span<byte> destination, int blockSizeCode)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        destination[4] = Version | IndependentFlag;
        destination[5] = (byte)(blockSizeCode << 4);
        destination[6] = Checksum(destination[4..6]);
    }

    /// <summary>Reads the descriptor at <paramref name="at"/>, after the magic, and moves past it.</summary>
    public static Lz4FrameHeader Read(ReadOnlySpan<byte> source, ref int at)
    {
        var start = at;
        if (source.Length - at < 3) Corrupt.ThrowTruncated(source.Length);
        int flags = source[at], blockDescriptor = source[at + 1];
        if ((flags & 0xC0) != Version || (flags & ReservedFlag) != 0 || (blockDescriptor & 0x8F) != 0)
            Corrupt.Throw("The LZ4 frame is of an unknown version or uses reserved bits", at);
        if ((flags & DictionaryFlag) != 0) Corrupt.Throw("The LZ4 frame wants a dictionary, which Kafka does not use", at);
        if (blockDescriptor >> 4 < BlockSizeCodeMin) Corrupt.Throw("The LZ4 frame declares an unknown block size", at + 1);
        at += 2;
        var contentSize = (flags & ContentSizeFlag) != 0 ? ReadContentSize(source, ref at) : (long?)null;
        if (at >= source.Length) Corrupt.ThrowTruncated(at);
        if (source[at] != Checksum(source[start..at])) Corrupt.Throw("The LZ4 frame header has a wrong checksum", at);
        at++;
        return new((flags & IndependentFlag) != 0, (flags & BlockChecksumFlag) != 0, (flags & ContentChecksumFlag) != 0,
            contentSize, SizeOf(blockDescriptor >> 4));
    }

    private static long ReadContentSize(ReadOnlySpan<byte> source, ref int at)
    {
        if (source.Length - at < sizeof(long)) Corrupt.ThrowTruncated(source.Length);
        var size = BinaryPrimitives.ReadInt64LittleEndian(source[at..]);
        at += sizeof(long);
        return size;
    }

    private static byte Checksum(ReadOnlySpan<byte> descriptor) => (byte)(XxHash32.Compute(descriptor) >> 8);
}
