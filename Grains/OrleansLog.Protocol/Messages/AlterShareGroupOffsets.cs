using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Has an empty share group begin elsewhere (KIP-932).</summary>
public sealed class AlterShareGroupOffsetsRequest : IRequest<AlterShareGroupOffsetsResponse>
{
    public string GroupId = "";
    public List<RequestTopic> Topics = [];

    public static ApiKey Api => ApiKey.AlterShareGroupOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class RequestTopic : IMessage
    {
        public string TopicName = "";
        public List<RequestPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class RequestPartition : IMessage
    {
        public int PartitionIndex;
        public long StartOffset;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref StartOffset);
            codec.EndOfStructure();
        }
    }
}

/// <summary>What became of each partition.</summary>
public sealed class AlterShareGroupOffsetsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public List<ResponseTopic> Responses = [];

    public static ApiKey Api => ApiKey.AlterShareGroupOffsets;

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
        public List<ResponsePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class ResponsePartition : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
