using OrleansLog.Protocol.Wire;

namespace OrleansLog.Protocol.Messages;

/// <summary>Asks what is known of transactional ids (KIP-664).</summary>
public sealed class DescribeTransactionsRequest : IRequest<DescribeTransactionsResponse>
{
    public List<string> TransactionalIds = [];

    public static ApiKey Api => ApiKey.DescribeTransactions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.StringArray(ref TransactionalIds);
        codec.EndOfStructure();
    }
}

/// <summary>The transactions of each.</summary>
public sealed class DescribeTransactionsResponse : IResponse
{
    public int ThrottleTimeMs;
    public List<TransactionState> TransactionStates = [];

    public static ApiKey Api => ApiKey.DescribeTransactions;

    public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
    {
        codec.Int32(ref ThrottleTimeMs);
        codec.Array(ref TransactionStates);
        codec.EndOfStructure();
    }

    public sealed class TransactionState : IMessage
    {
        public ErrorCode ErrorCode;
        public string TransactionalId = "";
        public string State = "";
        public int TransactionTimeoutMs;
        public long TransactionStartTimeMs = -1;
        public long ProducerId;
        public short ProducerEpoch;
        public List<TopicData> Topics = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.Error(ref ErrorCode);
            codec.String(ref TransactionalId);
            codec.String(ref State);
            codec.Int32(ref TransactionTimeoutMs);
            codec.Int64(ref TransactionStartTimeMs);
            codec.Int64(ref ProducerId);
            codec.Int16(ref ProducerEpoch);
            codec.Array(ref Topics);
            codec.EndOfStructure();
        }
    }

    public sealed class TopicData : IMessage
    {
        public string Topic = "";
        public List<int> Partitions = [];

        public void Describe<TCodec>(ref TCodec codec) where TCodec : struct, ICodec, allows ref struct
        {
            codec.String(ref Topic);
            codec.Int32Array(ref Partitions);
            codec.EndOfStructure();
        }
    }
}
