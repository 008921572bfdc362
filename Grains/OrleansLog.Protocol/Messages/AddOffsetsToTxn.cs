using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Makes the committed offsets of a consumer group part of a transaction.</summary>
public sealed class AddOffsetsToTxnRequest : IRequest<AddOffsetsToTxnResponse>
{
    public string TransactionalId = "";
    public long ProducerId;
    public short ProducerEpoch;
    public string GroupId = "";

    public static ApiKey Api => ApiKey.AddOffsetsToTxn;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.String(ref TransactionalId);
        codec.Int64(ref ProducerId);
        codec.Int16(ref ProducerEpoch);
        codec.String(ref GroupId);
        codec.EndOfStructure();
    }
}

/// <summary>Whether they are.</summary>
public sealed class AddOffsetsToTxnResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;

    public static ApiKey Api => ApiKey.AddOffsetsToTxn;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.EndOfStructure();
    }
}
