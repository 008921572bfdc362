using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Moves partitions to other brokers while they serve, or calls such a move off (KIP-455).</summary>
public sealed class AlterPartitionReassignmentsRequest : IRequest<AlterPartitionReassignmentsResponse>
{
    public int TimeoutMs = 60_000;

    /// <summary>Whether a partition may end up with more or fewer replicas than it has (KIP-860).</summary>
    public bool AllowReplicationFactorChange = true;

    public List<ReassignableTopic> Topics = [];

    public static ApiKey Api => ApiKey.AlterPartitionReassignments;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref TimeoutMs);
        if (codec.Version >= 1) codec.Boolean(ref AllowReplicationFactorChange);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class ReassignableTopic : IMessage
    {
        public string Name = "";
        public List<ReassignablePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class ReassignablePartition : IMessage
    {
        public int PartitionIndex;

        /// <summary>The brokers to hold it, the preferred leader first; null calls a move off.</summary>
        public List<int>? Replicas;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.NullableInt32Array(ref Replicas);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each move was begun, or called off. It goes on after the answer.</summary>
public sealed class AlterPartitionReassignmentsResponse : IResponse
{
    public int ThrottleTimeMs;

    /// <summary>What the request said of it.</summary>
    public bool AllowReplicationFactorChange = true;

    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public List<ReassignableTopicResponse> Responses = [];

    public static ApiKey Api => ApiKey.AlterPartitionReassignments;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 1) codec.Boolean(ref AllowReplicationFactorChange);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.Array(ref Responses);
        codec.EndOfStructure();
    }

    public sealed class ReassignableTopicResponse : IMessage
    {
        public string Name = "";
        public List<ReassignablePartitionResponse> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class ReassignablePartitionResponse : IMessage
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
