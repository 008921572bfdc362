using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Begins the state of share-partitions, or begins it anew in a higher epoch (KIP-932). Between brokers.</summary>
public sealed class InitializeShareGroupStateRequest : IRequest<InitializeShareGroupStateResponse>
{
    public string GroupId = "";
    public List<TopicData> Topics = [];

    public static ApiKey Api => ApiKey.InitializeShareGroupState;

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

        /// <summary>Where delivery begins; -1 leaves that to the partition's leader.</summary>
        public long StartOffset;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.Int32(ref StateEpoch);
            codec.Int64(ref StartOffset);
            codec.EndOfStructure();
        }
    }
}

/// <summary>What became of each share-partition.</summary>
public sealed class InitializeShareGroupStateResponse : IResponse
{
    public List<TopicResult> Results = [];

    public static ApiKey Api => ApiKey.InitializeShareGroupState;

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
