using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for the state and the members of classic groups.</summary>
public sealed class DescribeGroupsRequest : IRequest<DescribeGroupsResponse>
{
    public List<string> Groups = [];
    public bool IncludeAuthorizedOperations;

    public static ApiKey Api => ApiKey.DescribeGroups;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.StringArray(ref Groups);
        if (codec.Version >= 3) codec.Boolean(ref IncludeAuthorizedOperations);
        codec.EndOfStructure();
    }
}

/// <summary>The groups; from version 6 with a message for each error (KIP-1043).</summary>
public sealed class DescribeGroupsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DescribedGroup> Groups = [];

    public static ApiKey Api => ApiKey.DescribeGroups;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Groups);
        codec.EndOfStructure();
    }

    public sealed class DescribedGroup : IMessage
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public string GroupId = "";
        public string GroupState = "";
        public string ProtocolType = "";
        public string ProtocolData = "";
        public List<DescribedGroupMember> Members = [];
        public int AuthorizedOperations = int.MinValue;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            if (codec.Version >= 6) codec.NullableString(ref ErrorMessage);
            codec.String(ref GroupId);
            codec.String(ref GroupState);
            codec.String(ref ProtocolType);
            codec.String(ref ProtocolData);
            codec.Array(ref Members);
            if (codec.Version >= 3) codec.Int32(ref AuthorizedOperations);
            codec.EndOfStructure();
        }
    }

    public sealed class DescribedGroupMember : IMessage
    {
        public string MemberId = "";
        public string? GroupInstanceId;
        public string ClientId = "";
        public string ClientHost = "";
        public ReadOnlyMemory<byte> MemberMetadata;
        public ReadOnlyMemory<byte> MemberAssignment;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            if (codec.Version >= 4) codec.NullableString(ref GroupInstanceId);
            codec.String(ref ClientId);
            codec.String(ref ClientHost);
            codec.Bytes(ref MemberMetadata);
            codec.Bytes(ref MemberAssignment);
            codec.EndOfStructure();
        }
    }
}
