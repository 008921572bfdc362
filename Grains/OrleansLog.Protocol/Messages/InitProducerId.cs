using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks for a producer id, or for a new epoch of one (KIP-98, KIP-360).</summary>
public sealed class InitProducerIdRequest : IRequest<InitProducerIdResponse>
{
    public string? TransactionalId = "";
    public int TransactionTimeoutMs;
    public long ProducerId = -1;
    public short ProducerEpoch = -1;

    public static ApiKey Api => ApiKey.InitProducerId;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.NullableString(ref TransactionalId);
        codec.Int32(ref TransactionTimeoutMs);
        if (codec.Version >= 3) codec.Int64(ref ProducerId);
        if (codec.Version >= 3) codec.Int16(ref ProducerEpoch);
        codec.EndOfStructure();
    }
}

/// <summary>The producer id and its epoch.</summary>
public sealed class InitProducerIdResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public long ProducerId = -1;
    public short ProducerEpoch;

    public static ApiKey Api => ApiKey.InitProducerId;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.Int64(ref ProducerId);
        codec.Int16(ref ProducerEpoch);
        codec.EndOfStructure();
    }
}
