using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Asks where the log of a leader epoch ends, to find out whether a reader's log was truncated (KIP-320).
/// </summary>
public sealed class OffsetForLeaderEpochRequest : IRequest<OffsetForLeaderEpochResponse>
{
    /// <summary>The follower that asks; -1 for a consumer, -2 when it does not say.</summary>
    public int ReplicaId = -2;

    public List<OffsetForLeaderTopic> Topics = [];

    public static ApiKey Api => ApiKey.OffsetForLeaderEpoch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 3) codec.Int32(ref ReplicaId);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class OffsetForLeaderTopic : IMessage
    {
        public string Topic = "";
        public List<OffsetForLeaderPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetForLeaderPartition : IMessage
    {
        public int Partition;
        public int CurrentLeaderEpoch = -1;
        public int LeaderEpoch;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Int32(ref CurrentLeaderEpoch);
            codec.Int32(ref LeaderEpoch);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The end of each epoch asked for, in the leader's log.</summary>
public sealed class OffsetForLeaderEpochResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<OffsetForLeaderTopicResult> Topics = [];

    public static ApiKey Api => ApiKey.OffsetForLeaderEpoch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class OffsetForLeaderTopicResult : IMessage
    {
        public string Topic = "";
        public List<EpochEndOffset> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class EpochEndOffset : IMessage
    {
        public ErrorCode ErrorCode;
        public int Partition;

        /// <summary>The highest epoch in the log that is not above the one asked for, or -1.</summary>
        public int LeaderEpoch = -1;

        /// <summary>The offset after the last record of that epoch, or -1.</summary>
        public long EndOffset = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.Int32(ref Partition);
            codec.Int32(ref LeaderEpoch);
            codec.Int64(ref EndOffset);
            codec.EndOfStructure();
        }
    }
}
