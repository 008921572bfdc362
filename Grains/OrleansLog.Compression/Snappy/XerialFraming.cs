using System.Buffers.Binary;

namespace OrleansLog.Compression.Snappy;

/// <summary>
/// The framing that xerial's snappy-java puts around raw blocks: 8 bytes of magic, version 1 and oldest compatible
/// version 1, then each block behind its size; integers are 4 bytes, big-endian. Kafka's Java clients write it.
/// Source: snappy-java, SnappyOutputStream.
/// </summary>
internal static class XerialFraming
{
    public const int HeaderSize = 16;

    private const int Version = 1;

    private static ReadOnlySpan<byte> Magic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    /// <summary>Whether <paramref name="source"/> begins with a header; no sensible raw block does.</summary>
    public static bool StartsWithHeader(ReadOnlySpan<byte> source) =>
        source.Length >= HeaderSize && source.StartsWith(Magic);

    public static void WriteHeader(Span<byte> destination)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteInt32BigEndian(destination[8..], Version);
        BinaryPrimitives.WriteInt32BigEndian(destination[12..], Version);
    }

    /// <summary>Checks that the header at the start of <paramref name="source"/> is one that this version may read.</summary>
    public static void CheckHeader(ReadOnlySpan<byte> source, int sourcePosition)
    {
        if (BinaryPrimitives.ReadInt32BigEndian(source[12..]) > Version)
            Corrupt.Throw("The snappy framing is of a later version", sourcePosition + 12);
    }
}
