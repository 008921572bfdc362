using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Deletes committed offsets of topics that the group no longer reads (KIP-496).</summary>
public sealed class OffsetDeleteRequest : IRequest<OffsetDeleteResponse>
{
    public string GroupId = "";
    public List<OffsetDeleteRequestTopic> Topics = [];

    public static ApiKey Api => ApiKey.OffsetDelete;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Array(ref Topics);
    }

    public sealed class OffsetDeleteRequestTopic : IMessage
    {
        public string Name = "";
        public List<OffsetDeleteRequestPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
        }
    }

    public sealed class OffsetDeleteRequestPartition : IMessage
    {
        public int PartitionIndex;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
        }
    }
}

/// <summary>Whether each offset was deleted.</summary>
public sealed class OffsetDeleteResponse : IResponse
{
    public ErrorCode ErrorCode;
    public int ThrottleTimeMs;
    public List<OffsetDeleteResponseTopic> Topics = [];

    public static ApiKey Api => ApiKey.OffsetDelete;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Error(ref ErrorCode);
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
    }

    public sealed class OffsetDeleteResponseTopic : IMessage
    {
        public string Name = "";
        public List<OffsetDeleteResponsePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
        }
    }

    public sealed class OffsetDeleteResponsePartition : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
        }
    }
}
