using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for the brokers of the cluster and its id (KIP-700).</summary>
public sealed class DescribeClusterRequest : IRequest<DescribeClusterResponse>
{
    public bool IncludeClusterAuthorizedOperations;

    /// <summary>1 brokers, 2 controllers (KIP-919).</summary>
    public sbyte EndpointType = 1;

    public bool IncludeFencedBrokers;

    public static ApiKey Api => ApiKey.DescribeCluster;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Boolean(ref IncludeClusterAuthorizedOperations);
        if (codec.Version >= 1) codec.Int8(ref EndpointType);
        if (codec.Version >= 2) codec.Boolean(ref IncludeFencedBrokers);
        codec.EndOfStructure();
    }
}

/// <summary>The cluster and its brokers; from version 2 with the fenced ones, if asked for (KIP-1073).</summary>
public sealed class DescribeClusterResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public sbyte EndpointType = 1;
    public string ClusterId = "";
    public int ControllerId = -1;
    public List<DescribeClusterBroker> Brokers = [];
    public int ClusterAuthorizedOperations = int.MinValue;

    public static ApiKey Api => ApiKey.DescribeCluster;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        if (codec.Version >= 1) codec.Int8(ref EndpointType);
        codec.String(ref ClusterId);
        codec.Int32(ref ControllerId);
        codec.Array(ref Brokers);
        codec.Int32(ref ClusterAuthorizedOperations);
        codec.EndOfStructure();
    }

    public sealed class DescribeClusterBroker : IMessage
    {
        public int BrokerId;
        public string Host = "";
        public int Port;
        public string? Rack;
        public bool IsFenced;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int32(ref BrokerId);
            codec.String(ref Host);
            codec.Int32(ref Port);
            codec.NullableString(ref Rack);
            if (codec.Version >= 2) codec.Boolean(ref IsFenced);
            codec.EndOfStructure();
        }
    }
}
