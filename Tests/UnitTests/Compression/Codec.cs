using System.Buffers;
using OrleansLog.Compression;
using OrleansLog.Protocol.Records;

namespace OrleansLog.UnitTests.Compression;

/// <summary>The compressors by arrays.</summary>
internal static class Codec
{
    public static readonly CompressionType[] Types = Enum.GetValues<CompressionType>();

    public static byte[] Compress(CompressionType type, ReadOnlySpan<byte> source)
    {
        var output = new ArrayBufferWriter<byte>();
        CompressionCodecs.For(type).Compress(source, output);
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Decompress(CompressionType type, ReadOnlySpan<byte> source, int maxSize)
    {
        var output = new ArrayBufferWriter<byte>();
        CompressionCodecs.For(type).Decompress(source, output, maxSize);
        return output.WrittenSpan.ToArray();
    }
}
