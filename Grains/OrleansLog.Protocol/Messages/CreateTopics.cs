using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Creates topics, or only says whether it could (KIP-4).</summary>
public sealed class CreateTopicsRequest : IRequest<CreateTopicsResponse>
{
    public List<CreatableTopic> Topics = [];
    public int TimeoutMs = 60000;

    /// <summary>Say whether it could be done, and do nothing.</summary>
    public bool ValidateOnly;

    public static ApiKey Api => ApiKey.CreateTopics;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Topics);
        codec.Int32(ref TimeoutMs);
        codec.Boolean(ref ValidateOnly);
        codec.EndOfStructure();
    }

    public sealed class CreatableTopic : IMessage
    {
        public string Name = "";

        /// <summary>-1 with assignments, or for the broker's default (KIP-464).</summary>
        public int NumPartitions;

        /// <summary>-1 with assignments, or for the broker's default (KIP-464).</summary>
        public short ReplicationFactor;

        /// <summary>The replicas of each partition; empty lets the broker choose.</summary>
        public List<CreatableReplicaAssignment> Assignments = [];

        public List<CreatableTopicConfig> Configs = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32(ref NumPartitions);
            codec.Int16(ref ReplicationFactor);
            codec.Array(ref Assignments);
            codec.Array(ref Configs);
            codec.EndOfStructure();
        }
    }

    public sealed class CreatableReplicaAssignment : IMessage
    {
        public int PartitionIndex;
        public List<int> BrokerIds = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int32Array(ref BrokerIds);
            codec.EndOfStructure();
        }
    }

    public sealed class CreatableTopicConfig : IMessage
    {
        public string Name = "";
        public string? Value = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.NullableString(ref Value);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each topic was created and, from version 5, what it came out as (KIP-525).</summary>
public sealed class CreateTopicsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<CreatableTopicResult> Topics = [];

    public static ApiKey Api => ApiKey.CreateTopics;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class CreatableTopicResult : IMessage
    {
        public string Name = "";
        public Guid TopicId;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        /// <summary>Why there are no configs here, if they may not be seen.</summary>
        public ErrorCode TopicConfigErrorCode;

        public int NumPartitions = -1;
        public short ReplicationFactor = -1;
        public List<CreatableTopicConfigs>? Configs = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            if (codec.Version >= 7) codec.Uuid(ref TopicId);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            if (codec.Version >= 5) codec.Int32(ref NumPartitions);
            if (codec.Version >= 5) codec.Int16(ref ReplicationFactor);
            if (codec.Version >= 5) codec.NullableArray(ref Configs);
            if (codec.Version >= 5) codec.TaggedError(0, ref TopicConfigErrorCode);
            codec.EndOfStructure();
        }
    }

    public sealed class CreatableTopicConfigs : IMessage
    {
        public string Name = "";
        public string? Value = "";
        public bool ReadOnly;
        public sbyte ConfigSource = -1;
        public bool IsSensitive;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.NullableString(ref Value);
            codec.Boolean(ref ReadOnly);
            codec.Int8(ref ConfigSource);
            codec.Boolean(ref IsSensitive);
            codec.EndOfStructure();
        }
    }
}
