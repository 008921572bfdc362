using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Asks which APIs and versions a broker speaks; always the first request of a connection (KIP-35, KIP-511).
/// </summary>
public sealed class ApiVersionsRequest : IRequest<ApiVersionsResponse>
{
    public string ClientSoftwareName = "";
    public string ClientSoftwareVersion = "";

    public static ApiKey Api => ApiKey.ApiVersions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 3) codec.String(ref ClientSoftwareName);
        if (codec.Version >= 3) codec.String(ref ClientSoftwareVersion);
        codec.EndOfStructure();
    }
}

/// <summary>
/// The APIs of a broker and their versions. A version that the broker does not know is answered with version 0.
/// </summary>
public sealed class ApiVersionsResponse : IResponse
{
    public ErrorCode ErrorCode;
    public List<ApiVersion> ApiKeys = [];
    public int ThrottleTimeMs;
    public List<SupportedFeatureKey> SupportedFeatures = [];

    /// <summary>-1 when not known.</summary>
    public long FinalizedFeaturesEpoch = -1;

    public List<FinalizedFeatureKey> FinalizedFeatures = [];
    public bool ZkMigrationReady;

    public static ApiKey Api => ApiKey.ApiVersions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Error(ref ErrorCode);
        codec.Array(ref ApiKeys);
        if (codec.Version >= 1) codec.Int32(ref ThrottleTimeMs);
        if (codec.Version >= 3) codec.TaggedArray(0, ref SupportedFeatures);
        if (codec.Version >= 3) codec.TaggedInt64(1, ref FinalizedFeaturesEpoch, absent: -1);
        if (codec.Version >= 3) codec.TaggedArray(2, ref FinalizedFeatures);
        if (codec.Version >= 3) codec.TaggedBoolean(3, ref ZkMigrationReady);
        codec.EndOfStructure();
    }

    public sealed class ApiVersion : IMessage
    {
        public short ApiKey;
        public short MinVersion;
        public short MaxVersion;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int16(ref ApiKey);
            codec.Int16(ref MinVersion);
            codec.Int16(ref MaxVersion);
            codec.EndOfStructure();
        }
    }

    public sealed class SupportedFeatureKey : IMessage
    {
        public string Name = "";
        public short MinVersion;
        public short MaxVersion;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int16(ref MinVersion);
            codec.Int16(ref MaxVersion);
            codec.EndOfStructure();
        }
    }

    public sealed class FinalizedFeatureKey : IMessage
    {
        public string Name = "";
        public short MaxVersionLevel;
        public short MinVersionLevel;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int16(ref MaxVersionLevel);
            codec.Int16(ref MinVersionLevel);
            codec.EndOfStructure();
        }
    }
}
