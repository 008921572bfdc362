using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which client metrics the broker wants (KIP-714).</summary>
public sealed class GetTelemetrySubscriptionsRequest : IRequest<GetTelemetrySubscriptionsResponse>
{
    /// <summary>All zero at first; the broker gives one out.</summary>
    public Guid ClientInstanceId;

    public static ApiKey Api => ApiKey.GetTelemetrySubscriptions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Uuid(ref ClientInstanceId);
        codec.EndOfStructure();
    }
}

/// <summary>The metrics that the broker wants, how often and how large.</summary>
public sealed class GetTelemetrySubscriptionsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public Guid ClientInstanceId;
    public int SubscriptionId;
    public List<sbyte> AcceptedCompressionTypes = [];
    public int PushIntervalMs;
    public int TelemetryMaxBytes;
    public bool DeltaTemporality;
    public List<string> RequestedMetrics = [];

    public static ApiKey Api => ApiKey.GetTelemetrySubscriptions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.Uuid(ref ClientInstanceId);
        codec.Int32(ref SubscriptionId);
        codec.Int8Array(ref AcceptedCompressionTypes);
        codec.Int32(ref PushIntervalMs);
        codec.Int32(ref TelemetryMaxBytes);
        codec.Boolean(ref DeltaTemporality);
        codec.StringArray(ref RequestedMetrics);
        codec.EndOfStructure();
    }
}
