using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for what has a configuration (KIP-1142); version 0 for subscriptions to clients' metrics alone (KIP-714).</summary>
public sealed class ListConfigResourcesRequest : IRequest<ListConfigResourcesResponse>
{
    /// <summary>Which types are meant (version 1); all of them where none is named.</summary>
    public List<sbyte> ResourceTypes = [];

    public static ApiKey Api => ApiKey.ListConfigResources;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        if (codec.Version >= 1) codec.Int8Array(ref ResourceTypes);
        codec.EndOfStructure();
    }
}

/// <summary>What has a configuration.</summary>
public sealed class ListConfigResourcesResponse : IResponse
{
    /// <summary>The type of subscriptions to clients' metrics, which is all that version 0 knows.</summary>
    public const sbyte ClientMetrics = 16;

    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<ConfigResource> ConfigResources = [];

    public static ApiKey Api => ApiKey.ListConfigResources;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.Array(ref ConfigResources);
        codec.EndOfStructure();
    }

    public sealed class ConfigResource : IMessage
    {
        public string ResourceName = "";
        public sbyte ResourceType = ClientMetrics;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref ResourceName);
            if (codec.Version >= 1) codec.Int8(ref ResourceType);
            codec.EndOfStructure();
        }
    }
}
