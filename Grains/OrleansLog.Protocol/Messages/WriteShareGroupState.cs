using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Changes the state of share-partitions (KIP-932). Between brokers.</summary>
public sealed class WriteShareGroupStateRequest : IRequest<WriteShareGroupStateResponse>
{
    public string GroupId = "";
    public List<TopicData> Topics = [];

    public static ApiKey Api => ApiKey.WriteShareGroupState;

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

        /// <summary>Counts how often the state was begun anew.</summary>
        public int StateEpoch;

        /// <summary>The leader epoch of the partition.</summary>
        public int LeaderEpoch;

        /// <summary>Where delivery begins from now on; -1 for no change.</summary>
        public long StartOffset;

        /// <summary>How many offsets from the start offset on need not be delivered any more (KIP-1226); -1 where that is not known.</summary>
        public int DeliveryCompleteCount = -1;

        /// <summary>The ranges of records whose state is not that of records never delivered.</summary>
        public List<ShareStateBatch> StateBatches = [];

        /// <summary>
        /// The place of this write among those of one leadership, from 1 on: what is late is refused, and what was sent twice is
        /// written once. 0 for a writer that does not count. Not among Kafka's fields.
        /// </summary>
        public long WriteNumber;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Int32(ref StateEpoch);
            codec.Int32(ref LeaderEpoch);
            codec.Int64(ref StartOffset);
            if (codec.Version >= 1) codec.Int32(ref DeliveryCompleteCount);
            codec.Array(ref StateBatches);
            codec.TaggedInt64(10_000, ref WriteNumber, absent: 0);
            codec.EndOfStructure();
        }
    }
}

/// <summary>What became of each share-partition.</summary>
public sealed class WriteShareGroupStateResponse : IResponse
{
    public List<TopicResult> Results = [];

    public static ApiKey Api => ApiKey.WriteShareGroupState;

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

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
