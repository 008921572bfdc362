using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for the offset of a timestamp, or of the start or end of a partition (KIP-79).</summary>
public sealed class ListOffsetsRequest : IRequest<ListOffsetsResponse>
{
    /// <summary>The follower that asks, or -1 for a consumer.</summary>
    public int ReplicaId;

    /// <summary>0 counts to the high watermark, 1 to the last stable offset.</summary>
    public sbyte IsolationLevel;

    public List<ListOffsetsTopic> Topics = [];

    /// <summary>How long the broker may look in remote storage (KIP-1075).</summary>
    public int TimeoutMs;

    public static ApiKey Api => ApiKey.ListOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ReplicaId);
        if (codec.Version >= 2) codec.Int8(ref IsolationLevel);
        codec.Array(ref Topics);
        if (codec.Version >= 10) codec.Int32(ref TimeoutMs);
        codec.EndOfStructure();
    }

    public sealed class ListOffsetsTopic : IMessage
    {
        public string Name = "";
        public List<ListOffsetsPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class ListOffsetsPartition : IMessage
    {
        public int PartitionIndex;
        public int CurrentLeaderEpoch = -1;

        /// <summary>
        /// Milliseconds since 1970, or one of: -1 end, -2 start, -3 largest timestamp (KIP-734), -4 start of the local
        /// log (KIP-405), -5 end of the tiered log (KIP-1005).
        /// </summary>
        public long Timestamp;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            if (codec.Version >= 4) codec.Int32(ref CurrentLeaderEpoch);
            codec.Int64(ref Timestamp);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The offset that each timestamp stands for.</summary>
public sealed class ListOffsetsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<ListOffsetsTopicResponse> Topics = [];

    public static ApiKey Api => ApiKey.ListOffsets;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 2) codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class ListOffsetsTopicResponse : IMessage
    {
        public string Name = "";
        public List<ListOffsetsPartitionResponse> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class ListOffsetsPartitionResponse : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public long Timestamp = -1;
        public long Offset = -1;
        public int LeaderEpoch = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.Int64(ref Timestamp);
            codec.Int64(ref Offset);
            if (codec.Version >= 4) codec.Int32(ref LeaderEpoch);
            codec.EndOfStructure();
        }
    }
}
