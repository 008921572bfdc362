using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks how far a consumer group has read; several groups at once from version 8 (KIP-709).</summary>
public sealed class OffsetFetchRequest : IRequest<OffsetFetchResponse>
{
    public string GroupId = "";

    /// <summary>The topics asked for; null asks for all (from version 2).</summary>
    public List<OffsetFetchRequestTopic>? Topics = [];

    public List<OffsetFetchRequestGroup> Groups = [];

    /// <summary>Refuse while a transaction may still change an offset (KIP-447).</summary>
    public bool RequireStable;

    public static ApiKey Api => ApiKey.OffsetFetch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version <= 7) codec.String(ref GroupId);
        if (codec.Version <= 7) codec.NullableArray(ref Topics, nullable: codec.Version >= 2);
        if (codec.Version >= 8) codec.Array(ref Groups);
        if (codec.Version >= 7) codec.Boolean(ref RequireStable);
        codec.EndOfStructure();
    }

    public sealed class OffsetFetchRequestTopic : IMessage
    {
        public string Name = "";
        public List<int> PartitionIndexes = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32Array(ref PartitionIndexes);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetFetchRequestGroup : IMessage
    {
        public string GroupId = "";
        public string? MemberId;
        public int MemberEpoch = -1;

        /// <summary>The topics asked for; null asks for all.</summary>
        public List<OffsetFetchRequestTopics>? Topics = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref GroupId);
            if (codec.Version >= 9) codec.NullableString(ref MemberId);
            if (codec.Version >= 9) codec.Int32(ref MemberEpoch);
            codec.NullableArray(ref Topics);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetFetchRequestTopics : IMessage
    {
        public string Name = "";
        public List<int> PartitionIndexes = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int32Array(ref PartitionIndexes);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The committed offsets; -1 where there is none.</summary>
public sealed class OffsetFetchResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<OffsetFetchResponseTopic> Topics = [];
    public ErrorCode ErrorCode;
    public List<OffsetFetchResponseGroup> Groups = [];

    public static ApiKey Api => ApiKey.OffsetFetch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 3) codec.Int32(ref ThrottleTimeMs);
        if (codec.Version <= 7) codec.Array(ref Topics);
        if (codec.Version is >= 2 and <= 7) codec.Error(ref ErrorCode);
        if (codec.Version >= 8) codec.Array(ref Groups);
        codec.EndOfStructure();
    }

    public sealed class OffsetFetchResponseTopic : IMessage
    {
        public string Name = "";
        public List<OffsetFetchResponsePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetFetchResponseGroup : IMessage
    {
        public string GroupId = "";
        public List<OffsetFetchResponseTopics> Topics = [];
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref GroupId);
            codec.Array(ref Topics);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetFetchResponsePartition : IMessage
    {
        public int PartitionIndex;
        public long CommittedOffset;
        public int CommittedLeaderEpoch = -1;
        public string? Metadata = "";
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref CommittedOffset);
            if (codec.Version >= 5) codec.Int32(ref CommittedLeaderEpoch);
            codec.NullableString(ref Metadata);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetFetchResponseTopics : IMessage
    {
        public string Name = "";
        public List<OffsetFetchResponsePartitions> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class OffsetFetchResponsePartitions : IMessage
    {
        public int PartitionIndex;
        public long CommittedOffset;
        public int CommittedLeaderEpoch = -1;
        public string? Metadata = "";
        public ErrorCode ErrorCode;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Int64(ref CommittedOffset);
            codec.Int32(ref CommittedLeaderEpoch);
            codec.NullableString(ref Metadata);
            codec.Error(ref ErrorCode);
            codec.EndOfStructure();
        }
    }
}
