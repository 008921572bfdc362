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

    // The base library takes an input that ends early, or goes on with rubbish, for finished. So a member of our own is
    // put behind the input, and its content must come out last. (Coded, it does not contain that content as it is.)
    private static readonly byte[] GuardMember = CompressGuard();

    private static ReadOnlySpan<byte> Guard => "end of the records"u8;

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
        var length = source.Length + GuardMember.Length;
        var input = ArrayPool<byte>.Shared.Rent(length);
        var limit = (int)Math.Min((long)maxSize + Guard.Length, Array.MaxLength - DecodedBuffer.Slack);
        var output = new DecodedBuffer(limit, (int)Math.Min(4L * source.Length, limit));
        try
        {
            source.CopyTo(input);
            GuardMember.CopyTo(input, source.Length);
            Inflate(new MemoryStream(input, 0, length, writable: false), ref output, source.Length);
            RemoveGuard(ref output, source.Length);
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

    private static void Inflate(MemoryStream input, ref DecodedBuffer output, int inputLength)
    {
        using var gzip = new GZipStream(input, CompressionMode.Decompress);
        int got;
        do
        {
            // One byte more than may come shows whether too much comes.
            got = gzip.Read(output.Tail((int)Math.Min(ReadSize, output.Remaining + 1L)));
            output.Append(got, inputLength);
        }
        while (got > 0);
    }

    private static void RemoveGuard(ref DecodedBuffer output, int inputLength)
    {
        if (!output.Written.EndsWith(Guard)) Corrupt.ThrowTruncated(inputLength);
        output.AdvanceTo(output.Length - Guard.Length);
    }

    private static byte[] CompressGuard()
    {
        var member = new ArrayBufferWriter<byte>();
        using (var gzip = new GZipStream(new BufferWriterStream(member), CompressionLevel.Optimal)) gzip.Write(Guard);
        return member.WrittenSpan.ToArray();
    }
}
