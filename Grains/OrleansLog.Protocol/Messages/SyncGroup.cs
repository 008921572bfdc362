using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Hands in the leader's assignment of a generation, and asks for one's own part of it.</summary>
public sealed class SyncGroupRequest : IRequest<SyncGroupResponse>
{
    public string GroupId = "";
    public int GenerationId;
    public string MemberId = "";
    public string? GroupInstanceId;
    public string? ProtocolType;
    public string? ProtocolName;

    /// <summary>The leader's assignment; empty from the other members.</summary>
    public List<SyncGroupRequestAssignment> Assignments = [];

    public static ApiKey Api => ApiKey.SyncGroup;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Int32(ref GenerationId);
        codec.String(ref MemberId);
        if (codec.Version >= 3) codec.NullableString(ref GroupInstanceId);
        if (codec.Version >= 5) codec.NullableString(ref ProtocolType);
        if (codec.Version >= 5) codec.NullableString(ref ProtocolName);
        codec.Array(ref Assignments);
        codec.EndOfStructure();
    }

    public sealed class SyncGroupRequestAssignment : IMessage
    {
        public string MemberId = "";
        public ReadOnlyMemory<byte> Assignment;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            codec.Bytes(ref Assignment);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The part of the assignment that is this member's.</summary>
public sealed class SyncGroupResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ProtocolType;
    public string? ProtocolName;

    /// <summary>For consumers, a <c>ConsumerProtocolAssignment</c>.</summary>
    public ReadOnlyMemory<byte> Assignment;

    public static ApiKey Api => ApiKey.SyncGroup;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        if (codec.Version >= 5) codec.NullableString(ref ProtocolType);
        if (codec.Version >= 5) codec.NullableString(ref ProtocolName);
        codec.Bytes(ref Assignment);
        codec.EndOfStructure();
    }
}
