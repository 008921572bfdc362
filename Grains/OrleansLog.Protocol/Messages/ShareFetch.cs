using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Acquires records for a member of a share group and acknowledges earlier ones (KIP-932). Which partitions it asks is kept
/// in a share session, which the request changes. Version 2 adds strict limits (KIP-1206) and renewals (KIP-1222).
/// </summary>
public sealed class ShareFetchRequest : IRequest<ShareFetchResponse>
{
    public string? GroupId;
    public string? MemberId;

    /// <summary>0 opens a share session, -1 closes it; otherwise the number of the request within it.</summary>
    public int ShareSessionEpoch;

    /// <summary>How long to wait for a first record.</summary>
    public int MaxWaitMs;

    public int MinBytes;

    /// <summary>The most bytes of all partitions together; the first batch comes whole however large it is.</summary>
    public int MaxBytes = int.MaxValue;

    /// <summary>The most records, up to the end of a batch unless <see cref="ShareAcquireMode"/> says otherwise.</summary>
    public int MaxRecords;

    /// <summary>The number of records that ranges of acquired ones should have.</summary>
    public int BatchSize;

    /// <summary>0 acquires whole batches, 1 keeps to <see cref="MaxRecords"/>.</summary>
    public sbyte ShareAcquireMode;

    /// <summary>Whether there are renewals among the acknowledgements. Nothing is fetched then.</summary>
    public bool IsRenewAck;

    public List<FetchTopic> Topics = [];

    /// <summary>Partitions to drop from the session.</summary>
    public List<ForgottenTopic> ForgottenTopicsData = [];

    public static ApiKey Api => ApiKey.ShareFetch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.NullableString(ref GroupId);
        codec.NullableString(ref MemberId);
        codec.Int32(ref ShareSessionEpoch);
        codec.Int32(ref MaxWaitMs);
        codec.Int32(ref MinBytes);
        codec.Int32(ref MaxBytes);
        codec.Int32(ref MaxRecords);
        codec.Int32(ref BatchSize);
        if (codec.Version >= 2) codec.Int8(ref ShareAcquireMode);
        if (codec.Version >= 2) codec.Boolean(ref IsRenewAck);
        codec.Array(ref Topics);
        codec.Array(ref ForgottenTopicsData);
        codec.EndOfStructure();
    }

    public sealed class FetchTopic : IMessage
    {
        public Guid TopicId;
        public List<FetchPartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class FetchPartition : IMessage
    {
        public int PartitionIndex;
        public List<ShareAcknowledgementBatch> AcknowledgementBatches = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Array(ref AcknowledgementBatches);
            codec.EndOfStructure();
        }
    }

    public sealed class ForgottenTopic : IMessage
    {
        public Guid TopicId;
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }
}

/// <summary>What a member says about a range of records.</summary>
public sealed class ShareAcknowledgementBatch : IMessage
{
    public long FirstOffset;

    /// <summary>The last offset, which belongs to the range.</summary>
    public long LastOffset;

    /// <summary>One type for the whole range, or one for each record of it; the numbers are those of <see cref="ShareAcknowledgeType"/>.</summary>
    public List<sbyte> AcknowledgeTypes = [];

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int64(ref FirstOffset);
        codec.Int64(ref LastOffset);
        codec.Int8Array(ref AcknowledgeTypes);
        codec.EndOfStructure();
    }
}

/// <summary>What becomes of a record that was acquired, in Kafka's numbers.</summary>
public enum ShareAcknowledgeType : sbyte
{
    /// <summary>There is no record at that offset.</summary>
    Gap = 0,

    /// <summary>It was handled.</summary>
    Accept = 1,

    /// <summary>It is to be delivered again.</summary>
    Release = 2,

    /// <summary>It cannot be handled, and is not delivered again.</summary>
    Reject = 3,

    /// <summary>It takes longer: its lock begins anew (KIP-1222).</summary>
    Renew = 4,
}

/// <summary>The records of each partition, and which of them the member has acquired.</summary>
public sealed class ShareFetchResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;

    /// <summary>For how long the records are the member's.</summary>
    public int AcquisitionLockTimeoutMs;

    public List<ShareFetchableTopicResponse> Responses = [];

    /// <summary>Where the leaders are that partitions name.</summary>
    public List<ShareNodeEndpoint> NodeEndpoints = [];

    public static ApiKey Api => ApiKey.ShareFetch;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.Int32(ref AcquisitionLockTimeoutMs);
        codec.Array(ref Responses);
        codec.Array(ref NodeEndpoints);
        codec.EndOfStructure();
    }

    public sealed class ShareFetchableTopicResponse : IMessage
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
        public int PartitionIndex;
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public ErrorCode AcknowledgeErrorCode;
        public string? AcknowledgeErrorMessage;
        public ShareLeader CurrentLeader = new();

        /// <summary>Record batches, one after the other. Not all of their records need be acquired.</summary>
        public ReadOnlyMemory<byte>? Records;

        public List<AcquiredRecords> AcquiredRecords = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Error(ref AcknowledgeErrorCode);
            codec.NullableString(ref AcknowledgeErrorMessage);
            codec.Structure(ref CurrentLeader);
            codec.NullableBytes(ref Records);
            codec.Array(ref AcquiredRecords);
            codec.EndOfStructure();
        }
    }

    /// <summary>A range of records that the member has acquired.</summary>
    public sealed class AcquiredRecords : IMessage
    {
        public long FirstOffset;

        /// <summary>The last offset, which belongs to the range.</summary>
        public long LastOffset;

        /// <summary>How often the records have been delivered, this time included.</summary>
        public short DeliveryCount;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref FirstOffset);
            codec.Int64(ref LastOffset);
            codec.Int16(ref DeliveryCount);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Who leads a partition, where the broker that was asked does not.</summary>
public sealed class ShareLeader : IMessage
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

/// <summary>A broker and its address.</summary>
public sealed class ShareNodeEndpoint : IMessage
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
