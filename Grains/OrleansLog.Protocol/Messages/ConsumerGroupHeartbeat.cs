using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Joins, stays in and leaves a consumer group whose coordinator assigns (KIP-848). A field that has not changed since
/// the last heartbeat may be left null.
/// </summary>
public sealed class ConsumerGroupHeartbeatRequest : IRequest<ConsumerGroupHeartbeatResponse>
{
    /// <summary>The epoch of a member that leaves.</summary>
    public const int LeaveEpoch = -1;

    /// <summary>The epoch of a static member that leaves and means to come back.</summary>
    public const int LeaveStaticEpoch = -2;

    public string GroupId = "";

    /// <summary>Drawn by the member, or (version 0) by the coordinator when it is empty in the first heartbeat.</summary>
    public string MemberId = "";

    /// <summary>The epoch that the member has reached; 0 joins, -1 and -2 leave.</summary>
    public int MemberEpoch;

    public string? InstanceId;
    public string? RackId;

    /// <summary>How long the coordinator waits for this member to give partitions up; -1 for no change.</summary>
    public int RebalanceTimeoutMs = -1;

    public List<string>? SubscribedTopicNames;

    /// <summary>An expression that whole topic names are to match.</summary>
    public string? SubscribedTopicRegex;

    /// <summary>The way of assigning that the member would like.</summary>
    public string? ServerAssignor;

    /// <summary>What the member owns.</summary>
    public List<ConsumerGroupHeartbeat.TopicPartitions>? TopicPartitions;

    public static ApiKey Api => ApiKey.ConsumerGroupHeartbeat;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.String(ref MemberId);
        codec.Int32(ref MemberEpoch);
        codec.NullableString(ref InstanceId);
        codec.NullableString(ref RackId);
        codec.Int32(ref RebalanceTimeoutMs);
        codec.NullableStringArray(ref SubscribedTopicNames);
        if (codec.Version >= 1) codec.NullableString(ref SubscribedTopicRegex);
        codec.NullableString(ref ServerAssignor);
        codec.NullableArray(ref TopicPartitions);
        codec.EndOfStructure();
    }
}

/// <summary>Where the member stands, and what it is to read if that changed.</summary>
public sealed class ConsumerGroupHeartbeatResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public string? MemberId;
    public int MemberEpoch;

    /// <summary>When the next heartbeat is due.</summary>
    public int HeartbeatIntervalMs;

    /// <summary>All that the member may read now; null when that is what it was told before.</summary>
    public ConsumerGroupHeartbeat.Assignment? Assignment;

    public static ApiKey Api => ApiKey.ConsumerGroupHeartbeat;

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
}

/// <summary>The parts that request and response have in common.</summary>
public static class ConsumerGroupHeartbeat
{
    public sealed class Assignment : IMessage
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
