using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for the partitions of topics, page by page (KIP-966).</summary>
public sealed class DescribeTopicPartitionsRequest : IRequest<DescribeTopicPartitionsResponse>
{
    public List<TopicRequest> Topics = [];
    public int ResponsePartitionLimit = 2000;

    /// <summary>Where to go on, from the last answer; null begins.</summary>
    public RequestCursor? Cursor;

    public static ApiKey Api => ApiKey.DescribeTopicPartitions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Topics);
        codec.Int32(ref ResponsePartitionLimit);
        codec.NullableStructure(ref Cursor);
        codec.EndOfStructure();
    }

    public sealed class TopicRequest : IMessage
    {
        public string Name = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.EndOfStructure();
        }
    }

    public sealed class RequestCursor : IMessage
    {
        public string TopicName = "";
        public int PartitionIndex;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.Int32(ref PartitionIndex);
            codec.EndOfStructure();
        }
    }
}

/// <summary>A page of partitions, and where the next one begins.</summary>
public sealed class DescribeTopicPartitionsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DescribeTopicPartitionsResponseTopic> Topics = [];

    /// <summary>Where the next page begins; null when this was the last.</summary>
    public Cursor? NextCursor;

    public static ApiKey Api => ApiKey.DescribeTopicPartitions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.NullableStructure(ref NextCursor);
        codec.EndOfStructure();
    }

    public sealed class DescribeTopicPartitionsResponseTopic : IMessage
    {
        public ErrorCode ErrorCode;
        public string? Name = "";
        public Guid TopicId;
        public bool IsInternal;
        public List<DescribeTopicPartitionsResponsePartition> Partitions = [];
        public int TopicAuthorizedOperations = int.MinValue;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.NullableString(ref Name);
            codec.Uuid(ref TopicId);
            codec.Boolean(ref IsInternal);
            codec.Array(ref Partitions);
            codec.Int32(ref TopicAuthorizedOperations);
            codec.EndOfStructure();
        }
    }

    public sealed class Cursor : IMessage
    {
        public string TopicName = "";
        public int PartitionIndex;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TopicName);
            codec.Int32(ref PartitionIndex);
            codec.EndOfStructure();
        }
    }

    public sealed class DescribeTopicPartitionsResponsePartition : IMessage
    {
        public ErrorCode ErrorCode;
        public int PartitionIndex;
        public int LeaderId;
        public int LeaderEpoch = -1;
        public List<int> ReplicaNodes = [];
        public List<int> IsrNodes = [];
        public List<int>? EligibleLeaderReplicas;
        public List<int>? LastKnownElr;
        public List<int> OfflineReplicas = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.Int32(ref PartitionIndex);
            codec.Int32(ref LeaderId);
            codec.Int32(ref LeaderEpoch);
            codec.Int32Array(ref ReplicaNodes);
            codec.Int32Array(ref IsrNodes);
            codec.NullableInt32Array(ref EligibleLeaderReplicas);
            codec.NullableInt32Array(ref LastKnownElr);
            codec.Int32Array(ref OfflineReplicas);
            codec.EndOfStructure();
        }
    }
}
