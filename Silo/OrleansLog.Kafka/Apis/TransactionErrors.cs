using OrleansLog.Protocol;

namespace OrleansLog.Kafka.Apis;

/// <summary>What producers are told when their coordinator refuses a partition, or cannot be asked: what they know how to handle.</summary>
internal static class TransactionErrors
{
    private const short FirstProduceThatAborts = 11;
    private const short FirstProduceThatAdds = 12;
    private const short FirstCommitThatAborts = 4;

    public static ErrorCode ForProduce(ErrorCode error, short version) => error switch
    {
        ErrorCode.None or ErrorCode.InvalidProducerIdMapping or ErrorCode.UnknownTopicOrPartition => error,
        ErrorCode.ProducerFenced => ErrorCode.InvalidProducerEpoch,
        ErrorCode.TransactionAbortable => version >= FirstProduceThatAborts ? error : ErrorCode.InvalidTxnState,
        ErrorCode.ConcurrentTransactions when version >= FirstProduceThatAdds => error,
        // Whatever may be over soon; every client comes again for this one.
        _ => ErrorCode.NotEnoughReplicas,
    };

    public static ErrorCode ForOffsets(ErrorCode error, short version) => error switch
    {
        ErrorCode.TransactionAbortable => version >= FirstCommitThatAborts ? error : ErrorCode.InvalidTxnState,
        ErrorCode.ProducerFenced => ErrorCode.InvalidProducerEpoch,
        ErrorCode.None or ErrorCode.InvalidProducerIdMapping => error,
        _ => ErrorCode.CoordinatorLoadInProgress,
    };
}
