using System.Buffers;

namespace OrleansLog.Protocol.Records;

/// <summary>
/// Compresses and decompresses the records section of a batch, in the framing that Kafka's clients expect of its
/// <see cref="Type"/>. Implementations may be called from any thread.
/// </summary>
public interface IRecordCompressor
{
    CompressionType Type { get; }

    /// <summary>Appends the compressed form of <paramref name="source"/> to <paramref name="destination"/>.</summary>
    void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination);

    /// <summary>
    /// Appends the decompressed form of <paramref name="source"/> to <paramref name="destination"/>: at most
    /// <paramref name="maxSize"/> bytes, so that a small hostile input cannot fill the memory.
    /// </summary>
    /// <exception cref="CorruptRecordException">The input is malformed, or decompresses to more than that.</exception>
    void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize);
}
