using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Carries the bytes of a SASL mechanism (KIP-152).</summary>
public sealed class SaslAuthenticateRequest : IRequest<SaslAuthenticateResponse>
{
    public ReadOnlyMemory<byte> AuthBytes;

    public static ApiKey Api => ApiKey.SaslAuthenticate;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Bytes(ref AuthBytes);
        codec.EndOfStructure();
    }
}

/// <summary>The mechanism's answer, and how long the session may live (KIP-368).</summary>
public sealed class SaslAuthenticateResponse : IResponse
{
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public ReadOnlyMemory<byte> AuthBytes;
    public long SessionLifetimeMs;

    public static ApiKey Api => ApiKey.SaslAuthenticate;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Error(ref ErrorCode);
        codec.NullableString(ref ErrorMessage);
        codec.Bytes(ref AuthBytes);
        if (codec.Version >= 1) codec.Int64(ref SessionLifetimeMs);
        codec.EndOfStructure();
    }
}
