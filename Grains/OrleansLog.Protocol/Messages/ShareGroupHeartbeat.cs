using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Joins, stays in and leaves a share group (KIP-932). A field that has not changed since the last heartbeat may be left
/// null.
/// </summary>
public sealed class ShareGroupHeartbeatRequest : IRequest<ShareGroupHeartbeatResponse>
{
    /// <summary>The epoch of a member that leaves.</summary>
    public const int LeaveEpoch = -1;

    public string GroupId = "";

    /// <summary>Drawn by the member.</summary>
    public string MemberId = "";

    /// <summary>The epoch that the member has reached; 0 joins, -1 leaves.</summary>
    public int MemberEpoch;

    public string? RackId;
    public List<string>? SubscribedTopicNames;

    public static ApiKey Api => ApiKey.ShareGroupHeartbeat;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.String(ref MemberId);
        codec.Int32(ref MemberEpoch);
        codec.NullableString(ref RackId);
        codec.NullableStringArray(ref SubscribedTopicNames);
        codec.EndOfStructure();
    }
}

/// <summary>Where the member stands, and what it may read if that changed.</summary>
public sealed class ShareGroupHeartbeatResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public string? MemberId;
    public int MemberEpoch;

    /// <summary>When the next heartbeat is due.</summary>
    public int HeartbeatIntervalMs;

    /// <summary>All that the member may read now; null when that is what it was told before.</summary>
    public ShareAssignment? Assignment;

    public static ApiKey Api => ApiKey.ShareGroupHeartbeat;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.NullableString(ref MemberId);
        codec.Int32(ref MemberEpoch);
        codec.Int32(ref HeartbeatIntervalMs);
        codec.NullableStructure(ref Assignment);
        codec.EndOfStructure();
    }

    public sealed class ShareAssignment : IMessage
    {
        public List<TopicPartitions> TopicPartitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Array(ref TopicPartitions);
            codec.EndOfStructure();
        }
    }

    /// <summary>Some partitions of a topic.</summary>
    public sealed class TopicPartitions : IMessage
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
