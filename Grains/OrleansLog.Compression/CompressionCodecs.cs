using OrleansLog.Compression.Gzip;
using OrleansLog.Compression.Lz4;
using OrleansLog.Compression.Snappy;
using OrleansLog.Compression.Zstd;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression;

/// <summary>
/// The compressors that Kafka's record batches may use. All are pure managed code, keep their working memory pooled,
/// and serve any number of threads at once. Malformed input, and input that decodes to more than the caller allows,
/// throws <see cref="CorruptRecordException"/>; the output is written only when the whole input has decoded.
/// </summary>
public static class CompressionCodecs
{
    private static readonly NoCompressor None = new();
    private static readonly GzipCompressor Gzip = new();
    private static readonly SnappyCompressor Snappy = new();
    private static readonly Lz4Compressor Lz4 = new();
    private static readonly ZstdCompressor Zstd = new();

    /// <summary>
    /// The compressor for <paramref name="type"/>; the one for <see cref="CompressionType.None"/> copies.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is not one of Kafka's.</exception>
    public static IRecordCompressor For(CompressionType type) => type switch
    {
        CompressionType.None => None,
        CompressionType.Gzip => Gzip,
        CompressionType.Snappy => Snappy,
        CompressionType.Lz4 => Lz4,
        CompressionType.Zstd => Zstd,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Kafka knows gzip, snappy, lz4 and zstd."),
    };
}
