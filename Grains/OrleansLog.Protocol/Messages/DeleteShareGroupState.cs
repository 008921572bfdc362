using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Deletes the state of share-partitions (KIP-932). Between brokers.</summary>
public sealed class DeleteShareGroupStateRequest : IRequest<DeleteShareGroupStateResponse>
{
    public string GroupId = "";
    public List<TopicData> Topics = [];

    public static ApiKey Api => ApiKey.DeleteShareGroupState;

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

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            codec.EndOfStructure();
        }
    }
}

/// <summary>What became of each share-partition.</summary>
public sealed class DeleteShareGroupStateResponse : IResponse
{
    public List<TopicResult> Results = [];

    public static ApiKey Api => ApiKey.DeleteShareGroupState;

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
