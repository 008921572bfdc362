using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Chooses a SASL mechanism (KIP-43, KIP-152).</summary>
public sealed class SaslHandshakeRequest : IRequest<SaslHandshakeResponse>
{
    public string Mechanism = "";

    public static ApiKey Api => ApiKey.SaslHandshake;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref Mechanism);
    }
}

/// <summary>Whether the mechanism is enabled, and which ones are.</summary>
public sealed class SaslHandshakeResponse : IResponse
{
    public ErrorCode ErrorCode;
    public List<string> Mechanisms = [];

    public static ApiKey Api => ApiKey.SaslHandshake;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Error(ref ErrorCode);
        codec.StringArray(ref Mechanisms);
    }
}
