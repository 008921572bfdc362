using System.Buffers;
using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// What consumers of a classic group say to each other through the byte fields of JoinGroup and SyncGroup; brokers
/// pass it on. Each message stands after its version, two bytes, and is never flexible.
/// </summary>
public static class ConsumerProtocol
{
    /// <summary>The name that consumers give as their protocol type.</summary>
    public const string Type = "consumer";

    /// <summary>The highest version described here, of both messages.</summary>
    public const short VersionMax = 3;

    /// <summary>Reads a version and the message after it. A later version than this one knows begins like this one.</summary>
    /// <exception cref="MalformedMessageException">The bytes are not such a message.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> bytes) where T : class, IMessage, new()
    {
        var reader = new WireReader(bytes);
        var version = reader.ReadInt16();
        if (version < 0) throw new MalformedMessageException("version", 0, $"{version} is negative");
        reader.UseVersion(Math.Min(version, VersionMax), isFlexible: false);
        return reader.Read<T>();
    }

    /// <summary>Writes a version and the message after it.</summary>
    public static byte[] Write<T>(T message, short version = VersionMax) where T : class, IMessage
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output, version);
        writer.WriteInt16(version);
        writer.Write(message);
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Some partitions of a topic.</summary>
    public sealed class TopicPartitions : IMessage
    {
        public string Topic = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Int32Array(ref Partitions);
        }
    }
}

/// <summary>
/// What a member would like to read, in <see cref="JoinGroupRequest.JoinGroupRequestProtocol.Metadata"/>; from version
/// 1 with what it reads already (KIP-429), from version 3 with its rack (KIP-881).
/// </summary>
public sealed class ConsumerProtocolSubscription : IMessage
{
    public List<string> Topics = [];

    /// <summary>For the assignor alone.</summary>
    public ReadOnlyMemory<byte>? UserData;

    public List<ConsumerProtocol.TopicPartitions> OwnedPartitions = [];

    /// <summary>The generation in which the member got what it owns, or -1 (KIP-792).</summary>
    public int GenerationId = -1;

    public string? RackId;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.StringArray(ref Topics);
        codec.NullableBytes(ref UserData);
        if (codec.Version >= 1) codec.Array(ref OwnedPartitions);
        if (codec.Version >= 2) codec.Int32(ref GenerationId);
        if (codec.Version >= 3) codec.NullableString(ref RackId);
    }
}

/// <summary>What a member is to read, in <see cref="SyncGroupResponse.Assignment"/>; alike in all versions.</summary>
public sealed class ConsumerProtocolAssignment : IMessage
{
    public List<ConsumerProtocol.TopicPartitions> AssignedPartitions = [];

    /// <summary>For the assignor alone.</summary>
    public ReadOnlyMemory<byte>? UserData;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref AssignedPartitions);
        codec.NullableBytes(ref UserData);
    }
}
