using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which producers write to partitions (KIP-664).</summary>
public sealed class DescribeProducersRequest : IRequest<DescribeProducersResponse>
{
    public List<TopicRequest> Topics = [];

    public static ApiKey Api => ApiKey.DescribeProducers;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class TopicRequest : IMessage
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

/// <summary>The producers of each partition.</summary>
public sealed class DescribeProducersResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<TopicResponse> Topics = [];

    public static ApiKey Api => ApiKey.DescribeProducers;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class TopicResponse : IMessage
    {
        public string Name = "";
        public List<PartitionResponse> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionResponse : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public List<ProducerState> ActiveProducers = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Array(ref ActiveProducers);
            codec.EndOfStructure();
        }
    }

    public sealed class ProducerState : IMessage
    {
        public long ProducerId;
        public int ProducerEpoch;
        public int LastSequence = -1;
        public long LastTimestamp = -1;
        public int CoordinatorEpoch;

        /// <summary>Where its open transaction begins; -1 when it has none.</summary>
        public long CurrentTxnStartOffset = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref ProducerId);
            codec.Int32(ref ProducerEpoch);
            codec.Int32(ref LastSequence);
            codec.Int64(ref LastTimestamp);
            codec.Int32(ref CoordinatorEpoch);
            codec.Int64(ref CurrentTxnStartOffset);
            codec.EndOfStructure();
        }
    }
}
