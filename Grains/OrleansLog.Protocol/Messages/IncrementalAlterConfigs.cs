using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Changes single configuration values and leaves the others as they are (KIP-339).</summary>
public sealed class IncrementalAlterConfigsRequest : IRequest<IncrementalAlterConfigsResponse>
{
    public List<AlterConfigsResource> Resources = [];
    public bool ValidateOnly;

    public static ApiKey Api => ApiKey.IncrementalAlterConfigs;

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

        /// <summary>0 set, 1 delete, 2 append to the list, 3 subtract from the list.</summary>
        public sbyte ConfigOperation;

        public string? Value = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.Int8(ref ConfigOperation);
            codec.NullableString(ref Value);
            codec.EndOfStructure();
        }
    }
}

/// <summary>Whether each resource was altered.</summary>
public sealed class IncrementalAlterConfigsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<AlterConfigsResourceResponse> Responses = [];

    public static ApiKey Api => ApiKey.IncrementalAlterConfigs;

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
