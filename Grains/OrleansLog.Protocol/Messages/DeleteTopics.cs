using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Deletes topics by name or, from version 6, by id (KIP-516).</summary>
public sealed class DeleteTopicsRequest : IRequest<DeleteTopicsResponse>
{
    public List<DeleteTopicState> Topics = [];
    public List<string> TopicNames = [];
    public int TimeoutMs;

    public static ApiKey Api => ApiKey.DeleteTopics;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 6) codec.Array(ref Topics);
        if (codec.Version <= 5) codec.StringArray(ref TopicNames);
        codec.Int32(ref TimeoutMs);
        codec.EndOfStructure();
    }

    public sealed class DeleteTopicState : IMessage
    {
        public string? Name;
        public Guid TopicId;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.NullableString(ref Name);
            codec.Uuid(ref TopicId);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each topic was deleted.</summary>
public sealed class DeleteTopicsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DeletableTopicResult> Responses = [];

    public static ApiKey Api => ApiKey.DeleteTopics;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Responses);
        codec.EndOfStructure();
    }

    public sealed class DeletableTopicResult : IMessage
    {
        public string? Name = "";
        public Guid TopicId;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.NullableString(ref Name, nullable: codec.Version >= 6);
            if (codec.Version >= 6) codec.Uuid(ref TopicId);
            codec.Error(ref ErrorCode);
            if (codec.Version >= 5) codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
