using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Hands client metrics to the broker (KIP-714).</summary>
public sealed class PushTelemetryRequest : IRequest<PushTelemetryResponse>
{
    public Guid ClientInstanceId;
    public int SubscriptionId;
    public bool Terminating;
    public sbyte CompressionType;

    /// <summary>OpenTelemetry metrics data, version 1, compressed as said.</summary>
    public ReadOnlyMemory<byte> Metrics;

    public static ApiKey Api => ApiKey.PushTelemetry;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Uuid(ref ClientInstanceId);
        codec.Int32(ref SubscriptionId);
        codec.Boolean(ref Terminating);
        codec.Int8(ref CompressionType);
        codec.Bytes(ref Metrics);
        codec.EndOfStructure();
    }
}

/// <summary>Whether the metrics were taken.</summary>
public sealed class PushTelemetryResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;

    public static ApiKey Api => ApiKey.PushTelemetry;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.EndOfStructure();
    }
}
