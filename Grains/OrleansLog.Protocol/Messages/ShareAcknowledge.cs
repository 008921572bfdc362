using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Acknowledges records that a member of a share group has acquired (KIP-932), without fetching more.</summary>
public sealed class ShareAcknowledgeRequest : IRequest<ShareAcknowledgeResponse>
{
    public string? GroupId;
    public string? MemberId;

    /// <summary>-1 closes the share session; otherwise the number of the request within it.</summary>
    public int ShareSessionEpoch;

    /// <summary>Whether there are renewals among the acknowledgements (KIP-1222).</summary>
    public bool IsRenewAck;

    public List<AcknowledgeTopic> Topics = [];

    public static ApiKey Api => ApiKey.ShareAcknowledge;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.NullableString(ref GroupId);
        codec.NullableString(ref MemberId);
        codec.Int32(ref ShareSessionEpoch);
        if (codec.Version >= 2) codec.Boolean(ref IsRenewAck);
        codec.Array(ref Topics);
        codec.EndOfStructure();
    }

    public sealed class AcknowledgeTopic : IMessage
    {
        public Guid TopicId;
        public List<AcknowledgePartition> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Uuid(ref TopicId);
            codec.Array(ref Partitions);
            codec.EndOfStructure();
        }
    }

    public sealed class AcknowledgePartition : IMessage
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
}

/// <summary>What became of the acknowledgements of each partition.</summary>
public sealed class ShareAcknowledgeResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;

    /// <summary>For how long renewed records are the member's.</summary>
    public int AcquisitionLockTimeoutMs;

    public List<ShareAcknowledgeTopicResponse> Responses = [];

    /// <summary>Where the leaders are that partitions name.</summary>
    public List<ShareNodeEndpoint> NodeEndpoints = [];

    public static ApiKey Api => ApiKey.ShareAcknowledge;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        if (codec.Version >= 2) codec.Int32(ref AcquisitionLockTimeoutMs);
        codec.Array(ref Responses);
        codec.Array(ref NodeEndpoints);
        codec.EndOfStructure();
    }

    public sealed class ShareAcknowledgeTopicResponse : IMessage
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
        public ShareLeader CurrentLeader = new();

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionIndex);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Structure(ref CurrentLeader);
            codec.EndOfStructure();
        }
    }
}
