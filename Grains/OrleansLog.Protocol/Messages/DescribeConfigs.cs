using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for the configuration of topics, brokers or groups.</summary>
public sealed class DescribeConfigsRequest : IRequest<DescribeConfigsResponse>
{
    public List<DescribeConfigsResource> Resources = [];
    public bool IncludeSynonyms;
    public bool IncludeDocumentation;

    public static ApiKey Api => ApiKey.DescribeConfigs;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Array(ref Resources);
        codec.Boolean(ref IncludeSynonyms);
        if (codec.Version >= 3) codec.Boolean(ref IncludeDocumentation);
        codec.EndOfStructure();
    }

    public sealed class DescribeConfigsResource : IMessage
    {
        /// <summary>2 a topic, 4 a broker, 8 a broker's loggers, 16 client metrics, 32 a group.</summary>
        public sbyte ResourceType;

        public string ResourceName = "";

        /// <summary>The names asked for; null asks for all.</summary>
        public List<string>? ConfigurationKeys = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int8(ref ResourceType);
            codec.String(ref ResourceName);
            codec.NullableStringArray(ref ConfigurationKeys);
            codec.EndOfStructure();
        }
    }
}

/// <summary>The configurations, with where each value comes from (KIP-226) and what it means (KIP-569).</summary>
public sealed class DescribeConfigsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<DescribeConfigsResult> Results = [];

    public static ApiKey Api => ApiKey.DescribeConfigs;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref Results);
        codec.EndOfStructure();
    }

    public sealed class DescribeConfigsResult : IMessage
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public sbyte ResourceType;
        public string ResourceName = "";
        public List<DescribeConfigsResourceResult> Configs = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.NullableString(ref ErrorMessage);
            codec.Int8(ref ResourceType);
            codec.String(ref ResourceName);
            codec.Array(ref Configs);
            codec.EndOfStructure();
        }
    }

    public sealed class DescribeConfigsResourceResult : IMessage
    {
        public string Name = "";
        public string? Value = "";
        public bool ReadOnly;

        /// <summary>
        /// 0 unknown, 1 topic, 2 this broker (dynamic), 3 all brokers (dynamic), 4 this broker (static), 5 default, 6
        /// logger, 7 client metrics, 8 group.
        /// </summary>
        public sbyte ConfigSource = -1;

        public bool IsSensitive;

        /// <summary>Every place that sets the value, the one that counts first.</summary>
        public List<DescribeConfigsSynonym> Synonyms = [];

        /// <summary>
        /// 0 unknown, 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password.
        /// </summary>
        public sbyte ConfigType;

        public string? Documentation = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.NullableString(ref Value);
            codec.Boolean(ref ReadOnly);
            codec.Int8(ref ConfigSource);
            codec.Boolean(ref IsSensitive);
            codec.Array(ref Synonyms);
            if (codec.Version >= 3) codec.Int8(ref ConfigType);
            if (codec.Version >= 3) codec.NullableString(ref Documentation);
            codec.EndOfStructure();
        }
    }

    public sealed class DescribeConfigsSynonym : IMessage
    {
        public string Name = "";
        public string? Value = "";
        public sbyte Source;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Name);
            codec.NullableString(ref Value);
            codec.Int8(ref Source);
            codec.EndOfStructure();
        }
    }
}
