using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Stores how far a consumer group has read, as part of a transaction.</summary>
public sealed class TxnOffsetCommitRequest : IRequest<TxnOffsetCommitResponse>
{
    public string TransactionalId = "";
    public string GroupId = "";
    public long ProducerId;
    public short ProducerEpoch;
    public int GenerationId = -1;
    public string MemberId = "";
    public string? GroupInstanceId;
    public List<TxnOffsetCommitRequestTopic> Topics = [];

    public static ApiKey Api => ApiKey.TxnOffsetCommit;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref TransactionalId);
        codec.String(ref GroupId);
        codec.Int64(ref ProducerId);
        codec.Int16(ref ProducerEpoch);
        if (codec.Version >= 3) codec.Int32(ref GenerationId);
        if (codec.Version >= 3) codec.String(ref MemberId);
        if (codec.Version >= 3) codec.NullableString(ref GroupInstanceId);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class TxnOffsetCommitRequestTopic : IMessage
    {
        public string Name = "";
        public List<TxnOffsetCommitRequestPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class TxnOffsetCommitRequestPartition : IMessage
    {
        public int PartitionIndex;
        public long CommittedOffset;
        public int CommittedLeaderEpoch = -1;
        public string? CommittedMetadata;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref CommittedOffset);
            if (codec.Version >= 2) codec.Int32(ref CommittedLeaderEpoch);
            codec.NullableString(ref CommittedMetadata);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each offset was stored.</summary>
public sealed class TxnOffsetCommitResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<TxnOffsetCommitResponseTopic> Topics = [];

    public static ApiKey Api => ApiKey.TxnOffsetCommit;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class TxnOffsetCommitResponseTopic : IMessage
    {
        public string Name = "";
        public List<TxnOffsetCommitResponsePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class TxnOffsetCommitResponsePartition : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }
}
