using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Reads the state of share-partitions for their leader, which shuts out leaders of lower epochs with that (KIP-932). Between brokers.</summary>
public sealed class ReadShareGroupStateRequest : IRequest<ReadShareGroupStateResponse>
{
    public string GroupId = "";
    public List<TopicData> Topics = [];

    public static ApiKey Api => ApiKey.ReadShareGroupState;

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

/// <summary>The state of each share-partition.</summary>
public sealed class ReadShareGroupStateResponse : IResponse
{
    public List<TopicResult> Results = [];

    public static ApiKey Api => ApiKey.ReadShareGroupState;

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

        /// <summary>Where delivery begins; -1 when that was left to the partition's leader.</summary>
        public long StartOffset;

        /// <summary>The ranges of records whose state is not that of records never delivered.</summary>
        public List<ShareStateBatch> StateBatches = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Int32(ref StateEpoch);
            codec.Int64(ref StartOffset);
            codec.Array(ref StateBatches);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The state of a range of records of a share-partition.</summary>
public sealed class ShareStateBatch : IMessage
{
    public long FirstOffset;

    /// <summary>The last offset, which belongs to the range.</summary>
    public long LastOffset;

    /// <summary>0 available, 2 acknowledged, 4 archived.</summary>
    public sbyte DeliveryState;

    public short DeliveryCount;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int64(ref FirstOffset);
        codec.Int64(ref LastOffset);
        codec.Int8(ref DeliveryState);
        codec.Int16(ref DeliveryCount);
        codec.EndOfStructure();
    }
}
