using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Says that a member of a classic group lives, and asks whether the group is rebalancing.</summary>
public sealed class HeartbeatRequest : IRequest<HeartbeatResponse>
{
    public string GroupId = "";
    public int GenerationId;
    public string MemberId = "";
    public string? GroupInstanceId;

    public static ApiKey Api => ApiKey.Heartbeat;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref GroupId);
        codec.Int32(ref GenerationId);
        codec.String(ref MemberId);
        if (codec.Version >= 3) codec.NullableString(ref GroupInstanceId);
        codec.EndOfStructure();
    }
}

/// <summary>None, or what the member has to do: join again, or give up its identity.</summary>
public sealed class HeartbeatResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;

    public static ApiKey Api => ApiKey.Heartbeat;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.EndOfStructure();
    }
}
