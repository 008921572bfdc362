using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Deletes the records before an offset (KIP-107).</summary>
public sealed class DeleteRecordsRequest : IRequest<DeleteRecordsResponse>
{
    public List<DeleteRecordsTopic> Topics = [];
    public int TimeoutMs;

    public static ApiKey Api => ApiKey.DeleteRecords;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Topics);
        codec.Int32(ref TimeoutMs);
        codec.EndOfStructure();
    }

    public sealed class DeleteRecordsTopic : IMessage
    {
        public string Name = "";
        public List<DeleteRecordsPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class DeleteRecordsPartition : IMessage
    {
        public int PartitionIndex;

        /// <summary>The first offset to keep; -1 stands for the high watermark.</summary>
        public long Offset;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref Offset);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The new start of each partition.</summary>
public sealed class DeleteRecordsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DeleteRecordsTopicResult> Topics = [];

    public static ApiKey Api => ApiKey.DeleteRecords;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class DeleteRecordsTopicResult : IMessage
    {
        public string Name = "";
        public List<DeleteRecordsPartitionResult> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class DeleteRecordsPartitionResult : IMessage
    {
        public int PartitionIndex;

        /// <summary>The partition's first offset afterwards, or -1.</summary>
        public long LowWatermark;

        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref LowWatermark);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }
}
