using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Appends record batches to partitions. Answered when <see cref="Acks"/> says so; not at all for 0.</summary>
public sealed class ProduceRequest : IRequest<ProduceResponse>
{
    public string? TransactionalId;

    /// <summary>
    /// How many replicas must have the records before the answer: 0 (no answer at all), 1 (the leader), -1 (all in
    /// sync).
    /// </summary>
    public short Acks;

    /// <summary>How long to wait for the replicas.</summary>
    public int TimeoutMs;

    public List<TopicProduceData> TopicData = [];

    public static ApiKey Api => ApiKey.Produce;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.NullableString(ref TransactionalId);
        codec.Int16(ref Acks);
        codec.Int32(ref TimeoutMs);
        codec.Array(ref TopicData);
        codec.EndOfStructure();
    }

    public sealed class TopicProduceData : IMessage
    {
        public string Name = "";
        public List<PartitionProduceData> PartitionData = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref PartitionData);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionProduceData : IMessage
    {
        public int Index;

        /// <summary>Record batches, one after the other; null or empty is refused.</summary>
        public ReadOnlyMemory<byte>? Records;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Index);
            codec.NullableBytes(ref Records);
            codec.EndOfStructure();
        }
    }
}

/// <summary>
/// Where each partition's batches were appended, or why not. From version 10 it says who leads instead (KIP-951).
/// </summary>
public sealed class ProduceResponse : IResponse
{
    public List<TopicProduceResponse> Responses = [];
    public int ThrottleTimeMs;
    public List<NodeEndpoint> NodeEndpoints = [];

    public static ApiKey Api => ApiKey.Produce;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Responses);
        codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 10) codec.TaggedArray(0, ref NodeEndpoints);
        codec.EndOfStructure();
    }

    public sealed class TopicProduceResponse : IMessage
    {
        public string Name = "";
        public List<PartitionProduceResponse> PartitionResponses = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref PartitionResponses);
            codec.EndOfStructure();
        }
    }

    public sealed class NodeEndpoint : IMessage
    {
        public int NodeId;
        public string Host = "";
        public int Port;
        public string? Rack;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref NodeId);
            codec.String(ref Host);
            codec.Int32(ref Port);
            codec.NullableString(ref Rack);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionProduceResponse : IMessage
    {
        public int Index;
        public ErrorCode ErrorCode;
        public long BaseOffset;

        /// <summary>When the broker appended, for topics with log append time; else -1.</summary>
        public long LogAppendTimeMs = -1;

        public long LogStartOffset = -1;
        public List<BatchIndexAndErrorMessage> RecordErrors = [];
        public string? ErrorMessage;
        public LeaderIdAndEpoch? CurrentLeader;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Index);
            codec.Error(ref ErrorCode);
            codec.Int64(ref BaseOffset);
            codec.Int64(ref LogAppendTimeMs);
            if (codec.Version >= 5) codec.Int64(ref LogStartOffset);
            if (codec.Version >= 8) codec.Array(ref RecordErrors);
            if (codec.Version >= 8) codec.NullableString(ref ErrorMessage);
            if (codec.Version >= 10) codec.Tagged(0, ref CurrentLeader);
            codec.EndOfStructure();
        }
    }

    public sealed class BatchIndexAndErrorMessage : IMessage
    {
        /// <summary>Which record of the batch was refused (KIP-467).</summary>
        public int BatchIndex;

        public string? BatchIndexErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref BatchIndex);
            codec.NullableString(ref BatchIndexErrorMessage);
            codec.EndOfStructure();
        }
    }

    public sealed class LeaderIdAndEpoch : IMessage
    {
        public int LeaderId = -1;
        public int LeaderEpoch = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref LeaderId);
            codec.Int32(ref LeaderEpoch);
            codec.EndOfStructure();
        }
    }
}
