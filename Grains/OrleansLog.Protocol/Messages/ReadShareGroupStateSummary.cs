using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Reads how far share-partitions have come (KIP-932). Between brokers.</summary>
public sealed class ReadShareGroupStateSummaryRequest : IRequest<ReadShareGroupStateSummaryResponse>
{
    public string GroupId = "";
    public List<TopicData> Topics = [];

    public static ApiKey Api => ApiKey.ReadShareGroupStateSummary;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class TopicData : IMessage
    {
        public Guid TopicId;
        public List<PartitionData> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionData : IMessage
    {
        public int Partition;

        /// <summary>The leader epoch of the partition.</summary>
        public int LeaderEpoch;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Int32(ref LeaderEpoch);
            codec.EndOfStructure();
        }
    }
}

/// <summary>How far each share-partition has come.</summary>
public sealed class ReadShareGroupStateSummaryResponse : IResponse
{
    public List<TopicResult> Results = [];

    public static ApiKey Api => ApiKey.ReadShareGroupStateSummary;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Results);
        codec.EndOfStructure();
    }

    public sealed class TopicResult : IMessage
    {
        public Guid TopicId;
        public List<PartitionResult> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionResult : IMessage
    {
        public int Partition;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        /// <summary>Counts how often the state was begun anew.</summary>
        public int StateEpoch;

        /// <summary>The leader epoch of the partition.</summary>
        public int LeaderEpoch;

        /// <summary>Where delivery begins; -1 when that is not known yet.</summary>
        public long StartOffset;

        /// <summary>How many offsets from the start offset on need not be delivered any more (KIP-1226); -1 where that is not known.</summary>
        public int DeliveryCompleteCount = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Int32(ref StateEpoch);
            codec.Int32(ref LeaderEpoch);
            codec.Int64(ref StartOffset);
            if (codec.Version >= 1) codec.Int32(ref DeliveryCompleteCount);
            codec.EndOfStructure();
        }
    }
}
