using System.Buffers;
using OrleansLog.Compression.Buffers;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression.Zstd;

/// <summary>
/// Zstandard (RFC 8878; KIP-110 for its place in record batches). Reads everything but frames with dictionaries,
/// whatever their window, since the output itself is the window. Writes one frame that states its size.
/// </summary>
internal sealed class ZstdCompressor : IRecordCompressor
{
    private static readonly WorkspacePool<ZstdEncoder> Encoders = new(static () => new());
    private static readonly WorkspacePool<ZstdDecoder> Decoders = new(static () => new());

    public CompressionType Type => CompressionType.Zstd;

    public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination)
    {
        var encoder = Encoders.Rent();
        encoder.EncodeFrame(source, destination);
        Encoders.Return(encoder);
    }

    public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize)
    {
        var output = new DecodedBuffer(maxSize, (int)Math.Min(4L * source.Length, maxSize));
        var decoder = Decoders.Rent();
        try
        {
            decoder.DecodeAll(source, ref output);
            output.CopyTo(destination);
        }
        finally
        {
            Decoders.Return(decoder);
            output.Dispose();
        }
    }
}
