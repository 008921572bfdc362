using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Elects a leader for partitions: their preferred replica (KIP-183), or any replica that lives where no in-sync one
/// does, which may lose records (KIP-460).
/// </summary>
public sealed class ElectLeadersRequest : IRequest<ElectLeadersResponse>
{
    /// <summary>0 the preferred leader, 1 an unclean one. Version 0 knows the first alone.</summary>
    public sbyte ElectionType;

    /// <summary>The partitions; null for all there are.</summary>
    public List<TopicPartitions>? Topics = [];

    public int TimeoutMs = 60_000;

    public static ApiKey Api => ApiKey.ElectLeaders;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int8(ref ElectionType);
        codec.NullableArray(ref Topics);
        codec.Int32(ref TimeoutMs);
        codec.EndOfStructure();
    }

    public sealed class TopicPartitions : IMessage
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

/// <summary>Whether each partition got a leader. Where all were asked for, those that needed none are left out.</summary>
public sealed class ElectLeadersResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<ReplicaElectionResult> ReplicaElectionResults = [];

    public static ApiKey Api => ApiKey.ElectLeaders;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 1) codec.Error(ref ErrorCode);
        codec.Array(ref ReplicaElectionResults);
        codec.EndOfStructure();
    }

    public sealed class ReplicaElectionResult : IMessage
    {
        public string Topic = "";
        public List<PartitionResult> PartitionResult = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Array(ref PartitionResult);
            codec.EndOfStructure();
        }
    }

    public sealed class PartitionResult : IMessage
    {
        public int PartitionId;

        /// <summary><see cref="ErrorCode.ElectionNotNeeded"/> where the leader is the right one already.</summary>
        public ErrorCode ErrorCode;

        public string? ErrorMessage;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref PartitionId);
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.EndOfStructure();
        }
    }
}
