using System.Buffers.Binary;

namespace OrleansLog.Compression.Zstd;

/// <summary>The header of a zstd frame, after the magic (RFC 8878, section 3.1.1.1).</summary>
/// <param name="WindowSize">The farthest back that matches point, in bytes.</param>
/// <param name="ContentSize">What the frame decodes to, if it says so.</param>
/// <param name="HasChecksum">Whether the frame ends with the low half of the content's XXH64.</param>
internal readonly record struct FrameHeader(ulong WindowSize, ulong? ContentSize, bool HasChecksum)
{
    /// <summary>Bytes that <see cref="Write"/> writes at most, magic included.</summary>
    public const int WrittenSizeMax = 4 + 1 + 1 + 4;

    private const int SingleSegmentFlag = 0x20, ReservedFlag = 0x08, ChecksumFlag = 0x04;
    private const int WindowLogMin = 10;
    private const int TwoByteSizeBase = 256;

    /// <summary>No block of the frame decodes to more than this.</summary>
    public int BlockSizeMax => (int)Math.Min(WindowSize, ZstdFormat.BlockSizeMax);

    /// <summary>
    /// Writes magic and header of a frame of known size without checksum. A frame within one window is a single
    /// segment: its window is its size.
    /// </summary>
    public static int Write(Span<byte> destination, int contentSize, int windowLog)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, ZstdFormat.Magic);
        var isSingle = contentSize <= 1 << windowLog;
        var sizeCode = !isSingle || contentSize >= TwoByteSizeBase + ushort.MaxValue + 1 ? 2
            : contentSize >= TwoByteSizeBase ? 1 : 0;
        destination[4] = (byte)((sizeCode << 6) | (isSingle ? SingleSegmentFlag : 0));
        var at = 5;
        if (!isSingle) destination[at++] = (byte)((windowLog - WindowLogMin) << 3);
        switch (sizeCode)
        {
            case 0:
                destination[at] = (byte)contentSize;
                return at + 1;
            case 1:
                BinaryPrimitives.WriteUInt16LittleEndian(destination[at..], (ushort)(contentSize - TwoByteSizeBase));
                return at + 2;
            default:
                BinaryPrimitives.WriteInt32LittleEndian(destination[at..], contentSize);
                return at + 4;
        }
    }

    /// <summary>Reads the header at <paramref name="at"/>, and moves past it.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> source, ref int at)
    {
        var start = at;
        var descriptor = (int)ReadNumber(source, ref at, 1);
        if ((descriptor & ReservedFlag) != 0) Corrupt.Throw("The zstd frame uses reserved bits", start);
        var isSingle = (descriptor & SingleSegmentFlag) != 0;
        var window = isSingle ? 0 : ReadWindow((int)ReadNumber(source, ref at, 1));
        var dictionary = ReadNumber(source, ref at, (1 << (descriptor & 3)) >> 1);
        if (dictionary != 0) Corrupt.Throw("The zstd frame wants a dictionary, which Kafka does not use", start);
        var sizeBytes = (descriptor >> 6) switch { 0 => isSingle ? 1 : 0, 1 => 2, 2 => 4, _ => 8 };
        ulong? size = sizeBytes == 0 ? null : ReadNumber(source, ref at, sizeBytes) + (sizeBytes == 2 ? TwoByteSizeBase : 0ul);
        return new(isSingle ? size!.Value : window, size, (descriptor & ChecksumFlag) != 0);
    }

    private static ulong ReadWindow(int descriptor)
    {
        var whole = 1ul << (WindowLogMin + (descriptor >> 3));
        return whole + (whole >> 3) * (ulong)(descriptor & 7);
    }

    private static ulong ReadNumber(ReadOnlySpan<byte> source, ref int at, int bytes)
    {
        if (bytes > source.Length - at) Corrupt.ThrowTruncated(source.Length);
        ulong value = 0;
        for (var i = 0; i < bytes; i++) value |= (ulong)source[at++] << (8 * i);
        return value;
    }
}
