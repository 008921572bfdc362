using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Makes partitions part of a transaction; from version 4 on one broker asks for several producers (KIP-890).</summary>
public sealed class AddPartitionsToTxnRequest : IRequest<AddPartitionsToTxnResponse>
{
    public List<AddPartitionsToTxnTransaction> Transactions = [];
    public string V3AndBelowTransactionalId = "";
    public long V3AndBelowProducerId;
    public short V3AndBelowProducerEpoch;
    public List<AddPartitionsToTxnTopic> V3AndBelowTopics = [];

    public static ApiKey Api => ApiKey.AddPartitionsToTxn;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 4) codec.Array(ref Transactions);
        if (codec.Version <= 3) codec.String(ref V3AndBelowTransactionalId);
        if (codec.Version <= 3) codec.Int64(ref V3AndBelowProducerId);
        if (codec.Version <= 3) codec.Int16(ref V3AndBelowProducerEpoch);
        if (codec.Version <= 3) codec.Array(ref V3AndBelowTopics);
        codec.EndOfStructure();
    }

    public sealed class AddPartitionsToTxnTransaction : IMessage
    {
        public string TransactionalId = "";
        public long ProducerId;
        public short ProducerEpoch;

        /// <summary>Whether to say only if the partitions are in the transaction.</summary>
        public bool VerifyOnly;

        public List<AddPartitionsToTxnTopic> Topics = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TransactionalId);
            codec.Int64(ref ProducerId);
            codec.Int16(ref ProducerEpoch);
            codec.Boolean(ref VerifyOnly);
            codec.Array(ref Topics);
            codec.EndOfStructure();
        }
    }

    public sealed class AddPartitionsToTxnTopic : IMessage
    {
        public string Name = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each partition is in its transaction.</summary>
public sealed class AddPartitionsToTxnResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<AddPartitionsToTxnResult> ResultsByTransaction = [];
    public List<AddPartitionsToTxnTopicResult> ResultsByTopicV3AndBelow = [];

    public static ApiKey Api => ApiKey.AddPartitionsToTxn;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 4) codec.Error(ref ErrorCode);
        if (codec.Version >= 4) codec.Array(ref ResultsByTransaction);
        if (codec.Version <= 3) codec.Array(ref ResultsByTopicV3AndBelow);
        codec.EndOfStructure();
    }

    public sealed class AddPartitionsToTxnResult : IMessage
    {
        public string TransactionalId = "";
        public List<AddPartitionsToTxnTopicResult> TopicResults = [];

        /// <summary>The leader epoch of the coordinator that answers; -1 where it does not say. Not in Kafka: brokers tell one another.</summary>
        public long CoordinatorEpoch = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TransactionalId);
            codec.Array(ref TopicResults);
            codec.TaggedInt64(10_000, ref CoordinatorEpoch, absent: -1);
            codec.EndOfStructure();
        }
    }

    public sealed class AddPartitionsToTxnTopicResult : IMessage
    {
        public string Name = "";
        public List<AddPartitionsToTxnPartitionResult> ResultsByPartition = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref ResultsByPartition);
            codec.EndOfStructure();
        }
    }

    public sealed class AddPartitionsToTxnPartitionResult : IMessage
    {
        public int PartitionIndex;
        public ErrorCode PartitionErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref PartitionErrorCode);
            codec.EndOfStructure();
        }
    }
}
