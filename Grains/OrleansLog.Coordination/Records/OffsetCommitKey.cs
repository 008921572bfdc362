using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Records;

/// <summary>Kafka's key of a committed offset in <c>__consumer_offsets</c>. Versions 0 and 1 are the same.</summary>
internal sealed class OffsetCommitKey : IMessage
{
    public const short Version = 1;

    public string Group = "";
    public string Topic = "";
    public int Partition;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref Group);
        codec.String(ref Topic);
        codec.Int32(ref Partition);
    }
}

/// <summary>Kafka's value of a committed offset.</summary>
internal sealed class OffsetCommitValue : IMessage
{
    /// <summary>The version that knows leader epochs, but not an expiry of its own.</summary>
    public const short Version = 3;

    /// <summary>The one version that says when the offset expires, for clients that ask for a retention (OffsetCommit 2–4).</summary>
    public const short VersionWithExpiry = 1;

    public const short FlexibleVersion = 4;

    public long Offset;
    public int LeaderEpoch = -1;
    public string Metadata = "";
    public long CommitTimestamp;
    public long ExpireTimestamp = -1;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int64(ref Offset);
        if (codec.Version >= 3) codec.Int32(ref LeaderEpoch);
        codec.String(ref Metadata);
        codec.Int64(ref CommitTimestamp);
        if (codec.Version == VersionWithExpiry) codec.Int64(ref ExpireTimestamp);
        codec.EndOfStructure();
    }
}
