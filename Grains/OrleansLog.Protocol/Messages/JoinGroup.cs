using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Joins a classic consumer group. The answer waits until the group has gathered its members.</summary>
public sealed class JoinGroupRequest : IRequest<JoinGroupResponse>
{
    public string GroupId = "";

    /// <summary>How long the member may be silent before it is taken for dead.</summary>
    public int SessionTimeoutMs;

    /// <summary>
    /// How long a rebalance waits for this member to join again; -1 (version 0) means the session timeout.
    /// </summary>
    public int RebalanceTimeoutMs = -1;

    /// <summary>Empty at first; the broker gives one out.</summary>
    public string MemberId = "";

    /// <summary>The static member's name, if it is one (KIP-345).</summary>
    public string? GroupInstanceId;

    public string ProtocolType = "";

    /// <summary>The ways of assigning that the member can follow, the one it likes best first.</summary>
    public List<JoinGroupRequestProtocol> Protocols = [];

    /// <summary>Why the member joins, for the broker's log (KIP-800).</summary>
    public string? Reason;

    public static ApiKey Api => ApiKey.JoinGroup;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Int32(ref SessionTimeoutMs);
        if (codec.Version >= 1) codec.Int32(ref RebalanceTimeoutMs);
        codec.String(ref MemberId);
        if (codec.Version >= 5) codec.NullableString(ref GroupInstanceId);
        codec.String(ref ProtocolType);
        codec.Array(ref Protocols);
        if (codec.Version >= 8) codec.NullableString(ref Reason);
        codec.EndOfStructure();
    }

    public sealed class JoinGroupRequestProtocol : IMessage
    {
        public string Name = "";

        /// <summary>For consumers, a <c>ConsumerProtocolSubscription</c>.</summary>
        public ReadOnlyMemory<byte> Metadata;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Bytes(ref Metadata);
            codec.EndOfStructure();
        }
    }
}

/// <summary>
/// The generation that the group has reached. The leader alone learns the members and what they subscribe to.
/// </summary>
public sealed class JoinGroupResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public int GenerationId = -1;
    public string? ProtocolType;
    public string? ProtocolName = "";

    /// <summary>The member that assigns.</summary>
    public string Leader = "";

    /// <summary>Tells a static leader that the assignment stands and it has none to make (KIP-814).</summary>
    public bool SkipAssignment;

    public string MemberId = "";

    /// <summary>The members, for the leader; empty for the others.</summary>
    public List<JoinGroupResponseMember> Members = [];

    public static ApiKey Api => ApiKey.JoinGroup;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 2) codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.Int32(ref GenerationId);
        if (codec.Version >= 7) codec.NullableString(ref ProtocolType);
        codec.NullableString(ref ProtocolName, nullable: codec.Version >= 7);
        codec.String(ref Leader);
        if (codec.Version >= 9) codec.Boolean(ref SkipAssignment);
        codec.String(ref MemberId);
        codec.Array(ref Members);
        codec.EndOfStructure();
    }

    public sealed class JoinGroupResponseMember : IMessage
    {
        public string MemberId = "";
        public string? GroupInstanceId;
        public ReadOnlyMemory<byte> Metadata;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            if (codec.Version >= 5) codec.NullableString(ref GroupInstanceId);
            codec.Bytes(ref Metadata);
            codec.EndOfStructure();
        }
    }
}
