using System.Buffers;
using System.Buffers.Binary;
using OrleansLog.Compression.Buffers;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression.Snappy;

/// <summary>
/// Snappy as Kafka's clients exchange it. Reads raw blocks (librdkafka and others write them) and xerial's framing
/// (the Java clients write it), told apart by the framing's magic as the Java client does. Writes the framing, which
/// every client reads because the Java client writes it.
/// </summary>
internal sealed class SnappyCompressor : IRecordCompressor
{
    /// <summary>Matches reach back 65,535 bytes, so that larger blocks gain nothing.</summary>
    private const int BlockSize = 64 * 1024;

    private static readonly WorkspacePool<GreedyMatcher> Matchers = new(static () => new());

    public CompressionType Type => CompressionType.Snappy;

    public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination)
    {
        XerialFraming.WriteHeader(destination.GetSpan(XerialFraming.HeaderSize));
        destination.Advance(XerialFraming.HeaderSize);
        var matcher = Matchers.Rent();
        while (!source.IsEmpty)
        {
            var block = source[..Math.Min(BlockSize, source.Length)];
            var span = destination.GetSpan(sizeof(int) + SnappyBlockWriter.SizeMax(block.Length));
            var size = SnappyBlock.Compress(matcher, block, span[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(span, size);
            destination.Advance(sizeof(int) + size);
            source = source[block.Length..];
        }
        Matchers.Return(matcher);
    }

    public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize)
    {
        var output = new DecodedBuffer(maxSize, source.Length);
        try
        {
            if (XerialFraming.StartsWithHeader(source)) ReadFramed(source, ref output);
            else SnappyBlock.Decompress(source, ref output, 0);
            output.CopyTo(destination);
        }
        finally
        {
            output.Dispose();
        }
    }

    private static void ReadFramed(ReadOnlySpan<byte> source, ref DecodedBuffer output)
    {
        for (var at = 0; at < source.Length;)
        {
            // Streams that were joined end to end repeat the header between their blocks.
            if (XerialFraming.StartsWithHeader(source[at..]))
            {
                XerialFraming.CheckHeader(source[at..], at);
                at += XerialFraming.HeaderSize;
                continue;
            }
            if (source.Length - at < sizeof(int)) Corrupt.ThrowTruncated(source.Length);
            var size = BinaryPrimitives.ReadInt32BigEndian(source[at..]);
            at += sizeof(int);
            if (size < 0 || size > source.Length - at) Corrupt.ThrowTruncated(at);
            SnappyBlock.Decompress(source.Slice(at, size), ref output, at);
            at += size;
        }
    }
}
