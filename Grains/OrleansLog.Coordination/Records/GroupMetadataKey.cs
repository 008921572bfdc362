using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Records;

/// <summary>Kafka's key of a classic group in <c>__consumer_offsets</c>.</summary>
internal sealed class GroupMetadataKey : IMessage
{
    public const short Version = 2;

    public string Group = "";

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct =>
        codec.String(ref Group);
}

/// <summary>Kafka's value of a classic group: one generation of it, with its members and their assignments.</summary>
internal sealed class GroupMetadataValue : IMessage
{
    public const short Version = 3;
    public const short FlexibleVersion = 4;

    public string ProtocolType = "";
    public int Generation;
    public string? Protocol;
    public string? Leader;

    /// <summary>When the group came into its state, in milliseconds since the Unix epoch; -1 where that is not known.</summary>
    public long CurrentStateTimestamp = -1;

    public List<MemberMetadata> Members = [];

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref ProtocolType);
        codec.Int32(ref Generation);
        codec.NullableString(ref Protocol);
        codec.NullableString(ref Leader);
        if (codec.Version >= 2) codec.Int64(ref CurrentStateTimestamp);
        codec.Array(ref Members);
        codec.EndOfStructure();
    }

    internal sealed class MemberMetadata : IMessage
    {
        public string MemberId = "";
        public string? GroupInstanceId;
        public string ClientId = "";
        public string ClientHost = "";
        public int RebalanceTimeout = -1;
        public int SessionTimeout;
        public ReadOnlyMemory<byte> Subscription;
        public ReadOnlyMemory<byte> Assignment;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref MemberId);
            if (codec.Version >= 3) codec.NullableString(ref GroupInstanceId);
            codec.String(ref ClientId);
            codec.String(ref ClientHost);
            if (codec.Version >= 1) codec.Int32(ref RebalanceTimeout);
            codec.Int32(ref SessionTimeout);
            codec.Bytes(ref Subscription);
            codec.Bytes(ref Assignment);
            codec.EndOfStructure();
        }
    }
}
