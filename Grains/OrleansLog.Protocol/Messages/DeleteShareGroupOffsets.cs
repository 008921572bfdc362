using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Has an empty share group forget topics (KIP-932).</summary>
public sealed class DeleteShareGroupOffsetsRequest : IRequest<DeleteShareGroupOffsetsResponse>
{
    public string GroupId = "";
    public List<RequestTopic> Topics = [];

    public static ApiKey Api => ApiKey.DeleteShareGroupOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class RequestTopic : IMessage
    {
        public string TopicName = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.EndOfStructure();
        }
    }
}

/// <summary>What became of each topic.</summary>
public sealed class DeleteShareGroupOffsetsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public List<ResponseTopic> Responses = [];

    public static ApiKey Api => ApiKey.DeleteShareGroupOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.Array(ref Responses);
        codec.EndOfStructure();
    }

    public sealed class ResponseTopic : IMessage
    {
        public string TopicName = "";
        public Guid TopicId;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.Uuid(ref TopicId);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
