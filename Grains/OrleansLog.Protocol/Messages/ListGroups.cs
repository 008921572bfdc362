using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which groups this broker coordinates, by state (KIP-518) or type (KIP-848).</summary>
public sealed class ListGroupsRequest : IRequest<ListGroupsResponse>
{
    public List<string> StatesFilter = [];
    public List<string> TypesFilter = [];

    public static ApiKey Api => ApiKey.ListGroups;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 4) codec.StringArray(ref StatesFilter);
        if (codec.Version >= 5) codec.StringArray(ref TypesFilter);
        codec.EndOfStructure();
    }
}

/// <summary>The groups that this broker coordinates.</summary>
public sealed class ListGroupsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<ListedGroup> Groups = [];

    public static ApiKey Api => ApiKey.ListGroups;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.Array(ref Groups);
        codec.EndOfStructure();
    }

    public sealed class ListedGroup : IMessage
    {
        public string GroupId = "";
        public string ProtocolType = "";
        public string GroupState = "";
        public string GroupType = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref GroupId);
            codec.String(ref ProtocolType);
            if (codec.Version >= 4) codec.String(ref GroupState);
            if (codec.Version >= 5) codec.String(ref GroupType);
            codec.EndOfStructure();
        }
    }
}
