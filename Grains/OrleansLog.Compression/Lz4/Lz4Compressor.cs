using System.Buffers;
using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression.Lz4;

/// <summary>
/// LZ4 in its frame format (LZ4 frame format description 1.6; KIP-57 for how Kafka uses it). Reads linked and
/// independent blocks, all checksums, several frames and skippable ones; no dictionaries. Writes one frame of
/// independent blocks without checksums, as Kafka's Java client does and requires.
/// </summary>
internal sealed class Lz4Compressor : IRecordCompressor
{
    private const uint UncompressedFlag = 0x80000000;

    private static readonly WorkspacePool<GreedyMatcher> Matchers = new(static () => new());

    public CompressionType Type => CompressionType.Lz4;

    public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination)
    {
        var blockSizeCode = Lz4FrameHeader.BlockSizeCodeFor(source.Length);
        Lz4FrameHeader.Write(destination.GetSpan(Lz4FrameHeader.WrittenSize), blockSizeCode);
        destination.Advance(Lz4FrameHeader.WrittenSize);
        var matcher = Matchers.Rent();
        for (var blockSize = Lz4FrameHeader.SizeOf(blockSizeCode); !source.IsEmpty;)
        {
            var block = source[..Math.Min(blockSize, source.Length)];
            WriteBlock(matcher, block, destination);
            source = source[block.Length..];
        }
        Matchers.Return(matcher);
        WriteEndMark(destination);
    }

    public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize)
    {
        var output = new DecodedBuffer(maxSize, source.Length);
        try
        {
            new Lz4FrameReader(source).ReadAll(ref output);
            output.CopyTo(destination);
        }
        finally
        {
            output.Dispose();
        }
    }

    private static void WriteBlock(GreedyMatcher matcher, ReadOnlySpan<byte> block, IBufferWriter<byte> destination)
    {
        var span = destination.GetSpan(sizeof(uint) + block.Length);
        // A block that does not shrink is stored as it is.
        var size = Lz4Block.Compress(matcher, block, span.Slice(sizeof(uint), block.Length - 1));
        var sizeField = size < 0 ? (uint)block.Length | UncompressedFlag : (uint)size;
        if (size < 0) block.CopyTo(span[sizeof(uint)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(span, sizeField);
        destination.Advance(sizeof(uint) + (int)(sizeField & ~UncompressedFlag));
    }

    private static void WriteEndMark(IBufferWriter<byte> destination)
    {
        destination.GetSpan(sizeof(uint))[..sizeof(uint)].Clear();
        destination.Advance(sizeof(uint));
    }
}
