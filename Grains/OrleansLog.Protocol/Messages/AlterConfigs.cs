using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>
/// Replaces the whole configuration of topics or brokers: what is left out goes back to its default (KIP-133).
/// </summary>
public sealed class AlterConfigsRequest : IRequest<AlterConfigsResponse>
{
    public List<AlterConfigsResource> Resources = [];
    public bool ValidateOnly;

    public static ApiKey Api => ApiKey.AlterConfigs;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Resources);
        codec.Boolean(ref ValidateOnly);
        codec.EndOfStructure();
    }

    public sealed class AlterConfigsResource : IMessage
    {
        public sbyte ResourceType;
        public string ResourceName = "";
        public List<AlterableConfig> Configs = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int8(ref ResourceType);
            codec.String(ref ResourceName);
            codec.Array(ref Configs);
            codec.EndOfStructure();
        }
    }

    public sealed class AlterableConfig : IMessage
    {
        public string Name = "";
        public string? Value = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.NullableString(ref Value);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each resource was altered.</summary>
public sealed class AlterConfigsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<AlterConfigsResourceResponse> Responses = [];

    public static ApiKey Api => ApiKey.AlterConfigs;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Responses);
        codec.EndOfStructure();
    }

    public sealed class AlterConfigsResourceResponse : IMessage
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public sbyte ResourceType;
        public string ResourceName = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Int8(ref ResourceType);
            codec.String(ref ResourceName);
            codec.EndOfStructure();
        }
    }
}
