using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for the log directories of a broker and what fills them (KIP-113).</summary>
public sealed class DescribeLogDirsRequest : IRequest<DescribeLogDirsResponse>
{
    /// <summary>The partitions asked for; null asks for all.</summary>
    public List<DescribableLogDirTopic>? Topics = [];

    public static ApiKey Api => ApiKey.DescribeLogDirs;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.NullableArray(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class DescribableLogDirTopic : IMessage
    {
        public string Topic = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The directories, the partitions in them and, from version 4, the space on their disks (KIP-827).</summary>
public sealed class DescribeLogDirsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<DescribeLogDirsResult> Results = [];

    public static ApiKey Api => ApiKey.DescribeLogDirs;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 3) codec.Error(ref ErrorCode);
        codec.Array(ref Results);
        codec.EndOfStructure();
    }

    public sealed class DescribeLogDirsResult : IMessage
    {
        public ErrorCode ErrorCode;
        public string LogDir = "";
        public List<DescribeLogDirsTopic> Topics = [];

        /// <summary>The size of the disk, or -1 when not known.</summary>
        public long TotalBytes = -1;

        /// <summary>What is free on the disk, or -1 when not known.</summary>
        public long UsableBytes = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.String(ref LogDir);
            codec.Array(ref Topics);
            if (codec.Version >= 4) codec.Int64(ref TotalBytes);
            if (codec.Version >= 4) codec.Int64(ref UsableBytes);
            codec.EndOfStructure();
        }
    }

    public sealed class DescribeLogDirsTopic : IMessage
    {
        public string Name = "";
        public List<DescribeLogDirsPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class DescribeLogDirsPartition : IMessage
    {
        public int PartitionIndex;

        /// <summary>Bytes of its segments.</summary>
        public long PartitionSize;

        /// <summary>How far it is behind the high watermark or, for a future log, behind the present one.</summary>
        public long OffsetLag;

        public bool IsFutureKey;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref PartitionSize);
            codec.Int64(ref OffsetLag);
            codec.Boolean(ref IsFutureKey);
            codec.EndOfStructure();
        }
    }
}
