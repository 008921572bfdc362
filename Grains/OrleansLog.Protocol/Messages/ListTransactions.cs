using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks which transactional ids a broker coordinates (KIP-664, KIP-994).</summary>
public sealed class ListTransactionsRequest : IRequest<ListTransactionsResponse>
{
    public List<string> StateFilters = [];
    public List<ProducerIdFilter> ProducerIdFilters = [];

    /// <summary>Only transactions that have been open for longer, in milliseconds.</summary>
    public long DurationFilter = -1;

    public static ApiKey Api => ApiKey.ListTransactions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.StringArray(ref StateFilters);
        codec.Array(ref ProducerIdFilters);
        if (codec.Version >= 1) codec.Int64(ref DurationFilter);
        codec.EndOfStructure();
    }

    public sealed class ProducerIdFilter : IMessage
    {
        public long ProducerId;

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Int64(ref ProducerId);
        }
    }
}

/// <summary>The transactional ids.</summary>
public sealed class ListTransactionsResponse : IResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<string> UnknownStateFilters = [];
    public List<TransactionState> TransactionStates = [];

    public static ApiKey Api => ApiKey.ListTransactions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Error(ref ErrorCode);
        codec.StringArray(ref UnknownStateFilters);
        codec.Array(ref TransactionStates);
        codec.EndOfStructure();
    }

    public sealed class TransactionState : IMessage
    {
        public string TransactionalId = "";
        public long ProducerId;
        public string State = "";

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref TransactionalId);
            codec.Int64(ref ProducerId);
            codec.String(ref State);
            codec.EndOfStructure();
        }
    }
}
