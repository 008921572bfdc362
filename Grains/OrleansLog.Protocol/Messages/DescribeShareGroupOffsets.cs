using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks how far share groups have come (KIP-932).</summary>
public sealed class DescribeShareGroupOffsetsRequest : IRequest<DescribeShareGroupOffsetsResponse>
{
    public List<RequestGroup> Groups = [];

    public static ApiKey Api => ApiKey.DescribeShareGroupOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Groups);
        codec.EndOfStructure();
    }

    public sealed class RequestGroup : IMessage
    {
        public string GroupId = "";

        /// <summary>The topics asked for; null asks for all.</summary>
        public List<RequestTopic>? Topics;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref GroupId);
            codec.NullableArray(ref Topics);
            codec.EndOfStructure();
        }
    }

    public sealed class RequestTopic : IMessage
    {
        public string TopicName = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Where delivery begins in each partition; -1 where that is not known yet.</summary>
public sealed class DescribeShareGroupOffsetsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<ResponseGroup> Groups = [];

    public static ApiKey Api => ApiKey.DescribeShareGroupOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Groups);
        codec.EndOfStructure();
    }

    public sealed class ResponseGroup : IMessage
    {
        public string GroupId = "";
        public List<ResponseTopic> Topics = [];
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref GroupId);
            codec.Array(ref Topics);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
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
        public long StartOffset = -1;
        public int LeaderEpoch;

        /// <summary>How many records are still to be delivered (KIP-1226); -1 where that is not known.</summary>
        public long Lag = -1;

        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref StartOffset);
            codec.Int32(ref LeaderEpoch);
            if (codec.Version >= 1) codec.Int64(ref Lag);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
