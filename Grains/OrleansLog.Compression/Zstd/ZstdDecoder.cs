using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;
using OrleansLog.Compression.Hashing;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Decodes zstd frames, one after the other (RFC 8878). Holds the working memory of one call at a time (some 150 KiB);
/// reusable, also after input that it refused.
/// </summary>
internal sealed class ZstdDecoder
{
    private readonly LiteralsDecoder _literals = new();
    private readonly SequenceDecoder _sequences = new();

    /// <summary>Appends the content of every frame in <paramref name="source"/>.</summary>
    public void DecodeAll(ReadOnlySpan<byte> source, ref DecodedBuffer output)
    {
        var at = 0;
        do
        {
            var magic = ReadUInt32(source, ref at);
            if (magic == ZstdFormat.Magic) DecodeFrame(source, ref at, ref output);
            else if ((magic & 0xFFFFFFF0) == ZstdFormat.SkippableMagic) SkipFrame(source, ref at);
            else Corrupt.Throw("There is no zstd frame", at - sizeof(uint));
        }
        while (at < source.Length);
    }

    private static void SkipFrame(ReadOnlySpan<byte> source, ref int at)
    {
        var size = ReadUInt32(source, ref at);
        if (size > (uint)(source.Length - at)) Corrupt.ThrowTruncated(source.Length);
        at += (int)size;
    }

    private void DecodeFrame(ReadOnlySpan<byte> source, ref int at, ref DecodedBuffer output)
    {
        var header = FrameHeader.Read(source, ref at);
        var start = output.Length;
        _literals.StartFrame();
        _sequences.StartFrame();
        while (!DecodeBlock(source, ref at, header, start, ref output)) { }
        if (header.ContentSize is { } size && size != (ulong)(output.Length - start))
            Corrupt.Throw("The zstd frame does not hold as many bytes as it declares", at);
        if (header.HasChecksum && ReadUInt32(source, ref at) != (uint)XxHash64.Compute(output.Written[start..]))
            Corrupt.Throw("The zstd frame has a wrong checksum", at - sizeof(uint));
    }

    /// <summary>Decodes one block (section 3.1.1.2); true if it was the frame's last.</summary>
    private bool DecodeBlock(
        ReadOnlySpan<byte> source, ref int at, FrameHeader frame, int frameStart, ref DecodedBuffer output)
    {
        if (source.Length - at < ZstdFormat.BlockHeaderSize) Corrupt.ThrowTruncated(source.Length);
        var header = source[at] | (source[at + 1] << 8) | (source[at + 2] << 16);
        at += ZstdFormat.BlockHeaderSize;
        var size = header >> 3;
        var type = (BlockType)((header >> 1) & 3);
        var stored = type == BlockType.Rle ? 1 : size;
        if (size > frame.BlockSizeMax) Corrupt.Throw("A zstd block is larger than allowed", at);
        if (stored > source.Length - at) Corrupt.ThrowTruncated(source.Length);
        switch (type)
        {
            case BlockType.Raw:
                source.Slice(at, size).CopyTo(output.Append(size, at));
                break;
            case BlockType.Rle:
                output.Append(size, at).Fill(source[at]);
                break;
            case BlockType.Compressed:
                DecodeCompressed(source, at, at + size, frame, frameStart, ref output);
                break;
            default:
                Corrupt.Throw("A zstd block is of the reserved type", at);
                break;
        }
        at += stored;
        return (header & 1) != 0;
    }

    private void DecodeCompressed(
        ReadOnlySpan<byte> source, int at, int end, FrameHeader frame, int frameStart, ref DecodedBuffer output)
    {
        _literals.Decode(source, ref at, end);
        var window = (uint)Math.Min(frame.WindowSize, int.MaxValue);
        var limits = new BlockLimits(frameStart, window, output.Reserve(frame.BlockSizeMax));
        _sequences.Decode(source, at, end, _literals, ref output, limits);
    }

    private static uint ReadUInt32(ReadOnlySpan<byte> source, ref int at)
    {
        if (source.Length - at < sizeof(uint)) Corrupt.ThrowTruncated(source.Length);
        var value = BinaryPrimitives.ReadUInt32LittleEndian(source[at..]);
        at += sizeof(uint);
        return value;
    }
}
