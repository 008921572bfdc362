using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Reads record batches from partitions, waiting for enough of them. Fetch sessions are KIP-227, epochs KIP-320, topic
/// ids (from version 13) KIP-516.
/// </summary>
public sealed class FetchRequest : IRequest<FetchResponse>
{
    public string? ClusterId;

    /// <summary>The follower that asks, or -1 for a consumer. From version 15 see <see cref="ReplicaState"/>.</summary>
    public int ReplicaId = -1;

    public FetchReplicaState? ReplicaState;

    /// <summary>How long to wait for <see cref="MinBytes"/>.</summary>
    public int MaxWaitMs;

    public int MinBytes;

    /// <summary>The most bytes of all partitions together; the first batch comes whole however large it is.</summary>
    public int MaxBytes = int.MaxValue;

    /// <summary>0 reads to the high watermark, 1 to the last stable offset (committed transactions only).</summary>
    public sbyte IsolationLevel;

    /// <summary>The fetch session, or 0 for none.</summary>
    public int SessionId;

    /// <summary>The number of this fetch within its session: 0 opens one, -1 goes without one or closes it.</summary>
    public int SessionEpoch = -1;

    public List<FetchTopic> Topics = [];

    /// <summary>Partitions to drop from the session.</summary>
    public List<ForgottenTopic> ForgottenTopicsData = [];

    public string RackId = "";

    public static ApiKey Api => ApiKey.Fetch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version <= 14) codec.Int32(ref ReplicaId);
        codec.Int32(ref MaxWaitMs);
        codec.Int32(ref MinBytes);
        codec.Int32(ref MaxBytes);
        codec.Int8(ref IsolationLevel);
        if (codec.Version >= 7) codec.Int32(ref SessionId);
        if (codec.Version >= 7) codec.Int32(ref SessionEpoch);
        codec.Array(ref Topics);
        if (codec.Version >= 7) codec.Array(ref ForgottenTopicsData);
        if (codec.Version >= 11) codec.String(ref RackId);
        if (codec.Version >= 12) codec.TaggedNullableString(0, ref ClusterId);
        if (codec.Version >= 15) codec.Tagged(1, ref ReplicaState);
        codec.EndOfStructure();
    }

    public sealed class FetchReplicaState : IMessage
    {
        public int ReplicaId = -1;
        public long ReplicaEpoch = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref ReplicaId);
            codec.Int64(ref ReplicaEpoch);
            codec.EndOfStructure();
        }
    }

    public sealed class FetchTopic : IMessage
    {
        public string Topic = "";
        public Guid TopicId;
        public List<FetchPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            if (codec.Version <= 12) codec.String(ref Topic);
            if (codec.Version >= 13) codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class ForgottenTopic : IMessage
    {
        public string Topic = "";
        public Guid TopicId;
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            if (codec.Version <= 12) codec.String(ref Topic);
            if (codec.Version >= 13) codec.Uuid(ref TopicId);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class FetchPartition : IMessage
    {
        public int Partition;

        /// <summary>The latest leader epoch that the reader knows of; -1 skips the check.</summary>
        public int CurrentLeaderEpoch = -1;

        public long FetchOffset;

        /// <summary>The leader epoch of the last record that the reader has; -1 if it has none.</summary>
        public int LastFetchedEpoch = -1;

        /// <summary>A follower's own log start; -1 for consumers.</summary>
        public long LogStartOffset = -1;

        public int PartitionMaxBytes;
        public Guid ReplicaDirectoryId;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Partition);
            if (codec.Version >= 9) codec.Int32(ref CurrentLeaderEpoch);
            codec.Int64(ref FetchOffset);
            if (codec.Version >= 12) codec.Int32(ref LastFetchedEpoch);
            if (codec.Version >= 5) codec.Int64(ref LogStartOffset);
            codec.Int32(ref PartitionMaxBytes);
            if (codec.Version >= 17) codec.TaggedUuid(0, ref ReplicaDirectoryId);
            codec.EndOfStructure();
        }
    }
}

/// <summary>
/// The batches of each partition. From version 16 it says who leads instead, where this broker does not (KIP-951).
/// </summary>
public sealed class FetchResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public int SessionId;
    public List<FetchableTopicResponse> Responses = [];
    public List<NodeEndpoint> NodeEndpoints = [];

    public static ApiKey Api => ApiKey.Fetch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 7) codec.Error(ref ErrorCode);
        if (codec.Version >= 7) codec.Int32(ref SessionId);
        codec.Array(ref Responses);
        if (codec.Version >= 16) codec.TaggedArray(0, ref NodeEndpoints);
        codec.EndOfStructure();
    }

    public sealed class FetchableTopicResponse : IMessage
    {
        public string Topic = "";
        public Guid TopicId;
        public List<PartitionData> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            if (codec.Version <= 12) codec.String(ref Topic);
            if (codec.Version >= 13) codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class NodeEndpoint : IMessage
    {
        public int NodeId;
        public string Host = "";
        public int Port;
        public string? Rack;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref NodeId);
            codec.String(ref Host);
            codec.Int32(ref Port);
            codec.NullableString(ref Rack);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionData : IMessage
    {
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public long HighWatermark;
        public long LastStableOffset = -1;
        public long LogStartOffset = -1;

        /// <summary>Where the reader's log parts from the leader's, if it does (KIP-595).</summary>
        public EpochEndOffset? DivergingEpoch;

        public LeaderIdAndEpoch? CurrentLeader;
        public SnapshotId? SnapshotId;

        /// <summary>The aborted transactions within the records; null when all is read, committed or not.</summary>
        public List<AbortedTransaction>? AbortedTransactions = [];

        /// <summary>A closer replica to read from, or -1 (KIP-392).</summary>
        public int PreferredReadReplica = -1;

        /// <summary>Record batches, one after the other; the last one may be cut off.</summary>
        public ReadOnlyMemory<byte>? Records;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.Int64(ref HighWatermark);
            codec.Int64(ref LastStableOffset);
            if (codec.Version >= 5) codec.Int64(ref LogStartOffset);
            codec.NullableArray(ref AbortedTransactions);
            if (codec.Version >= 11) codec.Int32(ref PreferredReadReplica);
            codec.NullableBytes(ref Records);
            if (codec.Version >= 12) codec.Tagged(0, ref DivergingEpoch);
            if (codec.Version >= 12) codec.Tagged(1, ref CurrentLeader);
            if (codec.Version >= 12) codec.Tagged(2, ref SnapshotId);
            codec.EndOfStructure();
        }
    }

    public sealed class EpochEndOffset : IMessage
    {
        public int Epoch = -1;
        public long EndOffset = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref Epoch);
            codec.Int64(ref EndOffset);
            codec.EndOfStructure();
        }
    }

    public sealed class LeaderIdAndEpoch : IMessage
    {
        public int LeaderId = -1;
        public int LeaderEpoch = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref LeaderId);
            codec.Int32(ref LeaderEpoch);
            codec.EndOfStructure();
        }
    }

    public sealed class SnapshotId : IMessage
    {
        public long EndOffset = -1;
        public int Epoch = -1;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref EndOffset);
            codec.Int32(ref Epoch);
            codec.EndOfStructure();
        }
    }

    public sealed class AbortedTransaction : IMessage
    {
        public long ProducerId;
        public long FirstOffset;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref ProducerId);
            codec.Int64(ref FirstOffset);
            codec.EndOfStructure();
        }
    }
}
