using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Takes members out of a classic group; several at once from version 3 (KIP-345).</summary>
public sealed class LeaveGroupRequest : IRequest<LeaveGroupResponse>
{
    public string GroupId = "";
    public string MemberId = "";
    public List<MemberIdentity> Members = [];

    public static ApiKey Api => ApiKey.LeaveGroup;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        if (codec.Version <= 2) codec.String(ref MemberId);
        if (codec.Version >= 3) codec.Array(ref Members);
        codec.EndOfStructure();
    }

    public sealed class MemberIdentity : IMessage
    {
        public string MemberId = "";
        public string? GroupInstanceId;

        /// <summary>Why the member leaves, for the broker's log (KIP-800).</summary>
        public string? Reason;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            codec.NullableString(ref GroupInstanceId);
            if (codec.Version >= 5) codec.NullableString(ref Reason);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each member was taken out.</summary>
public sealed class LeaveGroupResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<MemberResponse> Members = [];

    public static ApiKey Api => ApiKey.LeaveGroup;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        if (codec.Version >= 3) codec.Array(ref Members);
        codec.EndOfStructure();
    }

    public sealed class MemberResponse : IMessage
    {
        public string MemberId = "";
        public string? GroupInstanceId = "";
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            codec.NullableString(ref GroupInstanceId);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }
}
