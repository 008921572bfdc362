using OrleansLog.Protocol.Wire;

namespace OrleansLog.Coordination.Records;

/// <summary>The versions of the keys of consumer groups in <c>__consumer_offsets</c>, which say what kind a record is of.</summary>
internal static class ConsumerGroupKeys
{
    public const short Epoch = 3;
    public const short Topics = 4;
    public const short MemberSubscription = 5;
    public const short TargetEpoch = 6;
    public const short Target = 7;
    public const short MemberAssignment = 8;
    public const short Pattern = 16;
}

/// <summary>Kafka's key of what there is once in a group.</summary>
internal sealed class ConsumerGroupKey : IMessage
{
    public string Group = "";

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct =>
        codec.String(ref Group);
}

/// <summary>Kafka's key of what there is once for each member, or for each expression, of a group.</summary>
internal sealed class ConsumerGroupPartKey : IMessage
{
    public string Group = "";
    public string Part = "";

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref Group);
        codec.String(ref Part);
    }
}
