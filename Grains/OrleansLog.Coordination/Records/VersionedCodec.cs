using System.Buffers.Binary;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Records;

/// <summary>Keys and values of internal topics: the version in two bytes, then the message in that version.</summary>
internal static class VersionedCodec
{
    /// <summary>Reads the version. Answers false where there is none.</summary>
    public static bool TryReadVersion(ReadOnlyMemory<byte> bytes, out short version) =>
        BinaryPrimitives.TryReadInt16BigEndian(bytes.Span, out version);

    /// <summary>Reads what follows the version. Byte fields are slices of <paramref name="bytes"/>.</summary>
    public static T Read<T>(ReadOnlyMemory<byte> bytes, short version, bool isFlexible = false)
        where T : class, IMessage, new()
    {
        var reader = new WireReader(bytes[sizeof(short)..], version, isFlexible);
        return reader.Read<T>();
    }

    /// <summary>Writes a version, best the oldest that holds all we have, which every reader knows.</summary>
    public static ReadOnlyMemory<byte> Write<T>(T message, short version, bool isFlexible = false) where T : class, IMessage
    {
        using var buffer = new PooledBufferWriter();
        var writer = new WireWriter(buffer, version, isFlexible);
        writer.WriteInt16(version);
        writer.Write(message);
        writer.Flush();
        return buffer.WrittenMemory.ToArray();
    }
}
