using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which partitions are being moved (KIP-455).</summary>
public sealed class ListPartitionReassignmentsRequest : IRequest<ListPartitionReassignmentsResponse>
{
    public int TimeoutMs = 60_000;

    /// <summary>The partitions asked for; null for all that are being moved.</summary>
    public List<ListPartitionReassignmentsTopics>? Topics;

    public static ApiKey Api => ApiKey.ListPartitionReassignments;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref TimeoutMs);
        codec.NullableArray(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class ListPartitionReassignmentsTopics : IMessage
    {
        public string Name = "";
        public List<int> PartitionIndexes = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32Array(ref PartitionIndexes);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The partitions that are being moved, and between which brokers. Others are left out.</summary>
public sealed class ListPartitionReassignmentsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public List<OngoingTopicReassignment> Topics = [];

    public static ApiKey Api => ApiKey.ListPartitionReassignments;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class OngoingTopicReassignment : IMessage
    {
        public string Name = "";
        public List<OngoingPartitionReassignment> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class OngoingPartitionReassignment : IMessage
    {
        public int PartitionIndex;

        /// <summary>All that hold it now, the two lists below included.</summary>
        public List<int> Replicas = [];

        public List<int> AddingReplicas = [];
        public List<int> RemovingReplicas = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int32Array(ref Replicas);
            codec.Int32Array(ref AddingReplicas);
            codec.Int32Array(ref RemovingReplicas);
            codec.EndOfStructure();
        }
    }
}
