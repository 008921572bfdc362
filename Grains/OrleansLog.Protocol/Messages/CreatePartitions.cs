using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Raises the partition count of topics (KIP-195).</summary>
public sealed class CreatePartitionsRequest : IRequest<CreatePartitionsResponse>
{
    public List<CreatePartitionsTopic> Topics = [];
    public int TimeoutMs;
    public bool ValidateOnly;

    public static ApiKey Api => ApiKey.CreatePartitions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Topics);
        codec.Int32(ref TimeoutMs);
        codec.Boolean(ref ValidateOnly);
        codec.EndOfStructure();
    }

    public sealed class CreatePartitionsTopic : IMessage
    {
        public string Name = "";

        /// <summary>The new count, old partitions included.</summary>
        public int Count;

        /// <summary>The replicas of each new partition; null lets the broker choose.</summary>
        public List<CreatePartitionsAssignment>? Assignments = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32(ref Count);
            codec.NullableArray(ref Assignments);
            codec.EndOfStructure();
        }
    }

    public sealed class CreatePartitionsAssignment : IMessage
    {
        public List<int> BrokerIds = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32Array(ref BrokerIds);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each topic grew.</summary>
public sealed class CreatePartitionsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<CreatePartitionsTopicResult> Results = [];

    public static ApiKey Api => ApiKey.CreatePartitions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Results);
        codec.EndOfStructure();
    }

    public sealed class CreatePartitionsTopicResult : IMessage
    {
        public string Name = "";
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
