using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Deletes empty consumer groups and their offsets (KIP-229).</summary>
public sealed class DeleteGroupsRequest : IRequest<DeleteGroupsResponse>
{
    public List<string> GroupsNames = [];

    public static ApiKey Api => ApiKey.DeleteGroups;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.StringArray(ref GroupsNames);
        codec.EndOfStructure();
    }
}

/// <summary>Whether each group was deleted.</summary>
public sealed class DeleteGroupsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DeletableGroupResult> Results = [];

    public static ApiKey Api => ApiKey.DeleteGroups;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Results);
        codec.EndOfStructure();
    }

    public sealed class DeletableGroupResult : IMessage
    {
        public string GroupId = "";
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref GroupId);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }
}
