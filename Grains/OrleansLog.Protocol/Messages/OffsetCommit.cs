using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Stores how far a consumer group has read.</summary>
public sealed class OffsetCommitRequest : IRequest<OffsetCommitResponse>
{
    public string GroupId = "";

    /// <summary>The generation (classic groups) or member epoch (KIP-848); -1 commits from outside the group.</summary>
    public int GenerationIdOrMemberEpoch = -1;

    public string MemberId = "";

    /// <summary>The static member's name, if it is one (KIP-345).</summary>
    public string? GroupInstanceId;

    /// <summary>How long to keep the offset; -1 for the broker's default.</summary>
    public long RetentionTimeMs = -1;

    public List<OffsetCommitRequestTopic> Topics = [];

    public static ApiKey Api => ApiKey.OffsetCommit;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Int32(ref GenerationIdOrMemberEpoch);
        codec.String(ref MemberId);
        if (codec.Version >= 7) codec.NullableString(ref GroupInstanceId);
        if (codec.Version <= 4) codec.Int64(ref RetentionTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class OffsetCommitRequestTopic : IMessage
    {
        public string Name = "";
        public List<OffsetCommitRequestPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetCommitRequestPartition : IMessage
    {
        public int PartitionIndex;
        public long CommittedOffset;
        public int CommittedLeaderEpoch = -1;
        public string? CommittedMetadata = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref CommittedOffset);
            if (codec.Version >= 6) codec.Int32(ref CommittedLeaderEpoch);
            codec.NullableString(ref CommittedMetadata);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each offset was stored.</summary>
public sealed class OffsetCommitResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<OffsetCommitResponseTopic> Topics = [];

    public static ApiKey Api => ApiKey.OffsetCommit;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 3) codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class OffsetCommitResponseTopic : IMessage
    {
        public string Name = "";
        public List<OffsetCommitResponsePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetCommitResponsePartition : IMessage
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
