using System.Buffers;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression;

/// <summary>Copies both ways, so that a caller need not tell uncompressed batches apart.</summary>
internal sealed class NoCompressor : IRecordCompressor
{
    public CompressionType Type => CompressionType.None;

    public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination) => destination.Write(source);

    public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize)
    {
        if (source.Length > maxSize) Corrupt.ThrowTooLarge(0);
        destination.Write(source);
    }
}
