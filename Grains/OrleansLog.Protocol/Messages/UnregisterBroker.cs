using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Forgets a broker that is gone for good (KIP-500).</summary>
public sealed class UnregisterBrokerRequest : IRequest<UnregisterBrokerResponse>
{
    public int BrokerId;

    public static ApiKey Api => ApiKey.UnregisterBroker;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref BrokerId);
        codec.EndOfStructure();
    }
}

/// <summary>Whether it was forgotten.</summary>
public sealed class UnregisterBrokerResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;

    public static ApiKey Api => ApiKey.UnregisterBroker;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.EndOfStructure();
    }
}
