using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which brokers there are, which topics, and who leads their partitions.</summary>
public sealed class MetadataRequest : IRequest<MetadataResponse>
{
    /// <summary>
    /// The topics asked for; null asks for all. Version 0 has no null: there an empty list asks for all.
    /// </summary>
    public List<MetadataRequestTopic>? Topics = [];

    public bool AllowAutoTopicCreation = true;
    public bool IncludeClusterAuthorizedOperations;
    public bool IncludeTopicAuthorizedOperations;

    public static ApiKey Api => ApiKey.Metadata;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.NullableArray(ref Topics, nullable: codec.Version >= 1);
        if (codec.Version >= 4) codec.Boolean(ref AllowAutoTopicCreation);
        if (codec.Version is >= 8 and <= 10) codec.Boolean(ref IncludeClusterAuthorizedOperations);
        if (codec.Version >= 8) codec.Boolean(ref IncludeTopicAuthorizedOperations);
        codec.EndOfStructure();
    }

    public sealed class MetadataRequestTopic : IMessage
    {
        public Guid TopicId;

        /// <summary>Null when the topic is named by its id.</summary>
        public string? Name = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            if (codec.Version >= 10) codec.Uuid(ref TopicId);
            codec.NullableString(ref Name, nullable: codec.Version >= 10);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The brokers, and the topics asked for with their partitions, leaders and replicas.</summary>
public sealed class MetadataResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<MetadataResponseBroker> Brokers = [];
    public string? ClusterId;
    public int ControllerId = -1;
    public List<MetadataResponseTopic> Topics = [];
    public int ClusterAuthorizedOperations = int.MinValue;
    public ErrorCode ErrorCode;

    public static ApiKey Api => ApiKey.Metadata;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 3) codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Brokers);
        if (codec.Version >= 2) codec.NullableString(ref ClusterId);
        if (codec.Version >= 1) codec.Int32(ref ControllerId);
        codec.Array(ref Topics);
        if (codec.Version is >= 8 and <= 10) codec.Int32(ref ClusterAuthorizedOperations);
        if (codec.Version >= 13) codec.Error(ref ErrorCode);
        codec.EndOfStructure();
    }

    public sealed class MetadataResponseBroker : IMessage
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
            if (codec.Version >= 1) codec.NullableString(ref Rack);
            codec.EndOfStructure();
        }
    }

    public sealed class MetadataResponseTopic : IMessage
    {
        public ErrorCode ErrorCode;

        /// <summary>Null when an id was asked for that no topic has.</summary>
        public string? Name = "";

        public Guid TopicId;
        public bool IsInternal;
        public List<MetadataResponsePartition> Partitions = [];

        /// <summary>
        /// A bit for each operation that is allowed; the smallest integer when it was not asked for (KIP-430).
        /// </summary>
        public int TopicAuthorizedOperations = int.MinValue;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.NullableString(ref Name, nullable: codec.Version >= 12);
            if (codec.Version >= 10) codec.Uuid(ref TopicId);
            if (codec.Version >= 1) codec.Boolean(ref IsInternal);
            codec.Array(ref Partitions);
            if (codec.Version >= 8) codec.Int32(ref TopicAuthorizedOperations);
            codec.EndOfStructure();
        }
    }

    public sealed class MetadataResponsePartition : IMessage
    {
        public ErrorCode ErrorCode;
        public int PartitionIndex;

        /// <summary>The leading broker, or -1 when there is none.</summary>
        public int LeaderId;

        public int LeaderEpoch = -1;
        public List<int> ReplicaNodes = [];
        public List<int> IsrNodes = [];
        public List<int> OfflineReplicas = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.Int32(ref PartitionIndex);
            codec.Int32(ref LeaderId);
            if (codec.Version >= 7) codec.Int32(ref LeaderEpoch);
            codec.Int32Array(ref ReplicaNodes);
            codec.Int32Array(ref IsrNodes);
            if (codec.Version >= 5) codec.Int32Array(ref OfflineReplicas);
            codec.EndOfStructure();
        }
    }
}
