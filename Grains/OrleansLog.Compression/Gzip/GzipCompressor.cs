using System.Buffers;
using System.IO.Compression;
using OrleansLog.Compression.Buffers;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Compression.Gzip;

/// <summary>gzip (RFC 1952) by the base library's deflate, at the level that Kafka's clients use unless told otherwise (6).</summary>
internal sealed class GzipCompressor : IRecordCompressor
{
    /// <summary>Header and trailer of one member, without which no input is whole.</summary>
    private const int MemberSizeMin = 18;

    private const int ReadSize = 64 * 1024;

    /// <summary>The base library writes nothing for nothing; readers want a member of no bytes.</summary>
    private static ReadOnlySpan<byte> EmptyMember => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public CompressionType Type => CompressionType.Gzip;

    public void Compress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination)
    {
        if (source.IsEmpty)
        {
            destination.Write(EmptyMember);
            return;
        }
        using var gzip = new GZipStream(new BufferWriterStream(destination), CompressionLevel.Optimal);
        gzip.Write(source);
    }

    public void Decompress(ReadOnlySpan<byte> source, IBufferWriter<byte> destination, int maxSize)
    {
        if (source.Length < MemberSizeMin) Corrupt.ThrowTruncated(source.Length);
        var input = ArrayPool<byte>.Shared.Rent(source.Length);
        var output = new DecodedBuffer(maxSize, (int)Math.Min(4L * source.Length, maxSize));
        try
        {
            source.CopyTo(input);
            Inflate(input, source.Length, ref output);
            output.CopyTo(destination);
        }
        catch (InvalidDataException malformed)
        {
            throw new CorruptRecordException($"The gzip data is malformed ({malformed.Message})", 0, malformed);
        }
        finally
        {
            output.Dispose();
            ArrayPool<byte>.Shared.Return(input);
        }
    }

    private static void Inflate(byte[] input, int length, ref DecodedBuffer output)
    {
        using var gzip = new GZipStream(new MemoryStream(input, 0, length, writable: false), CompressionMode.Decompress);
        while (true)
        {
            // One byte more than may come shows whether too much comes.
            var want = Math.Min(ReadSize, output.Remaining + 1L);
            var got = gzip.Read(output.Tail((int)want));
            if (got == 0) return;
            output.Append(got, length);
        }
    }
}
