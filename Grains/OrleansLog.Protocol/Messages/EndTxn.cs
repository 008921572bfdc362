using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Commits or aborts a transaction. From version 5 on the producer goes on with another epoch (KIP-890).</summary>
public sealed class EndTxnRequest : IRequest<EndTxnResponse>
{
    public string TransactionalId = "";
    public long ProducerId;
    public short ProducerEpoch;
    public bool Committed;

    public static ApiKey Api => ApiKey.EndTxn;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref TransactionalId);
        codec.Int64(ref ProducerId);
        codec.Int16(ref ProducerEpoch);
        codec.Boolean(ref Committed);
        codec.EndOfStructure();
    }
}

/// <summary>Whether the transaction ended, and who the producer is from then on.</summary>
public sealed class EndTxnResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public long ProducerId = -1;
    public short ProducerEpoch = -1;

    public static ApiKey Api => ApiKey.EndTxn;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        if (codec.Version >= 5) codec.Int64(ref ProducerId);
        if (codec.Version >= 5) codec.Int16(ref ProducerEpoch);
        codec.EndOfStructure();
    }
}
