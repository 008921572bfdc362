using OrleansLog.Protocol;

namespace OrleansLog.Client.Producing;

/// <summary>What to do about a refused batch.</summary>
internal static class ProduceErrors
{
    /// <summary>Whether a leader refuses so before it appends anything.</summary>
    public static bool IsBeforeAppend(ErrorCode error) => error is
        ErrorCode.NotEnoughReplicas or ErrorCode.UnknownTopicOrPartition or ErrorCode.MessageTooLarge or ErrorCode.ThrottlingQuotaExceeded
        or ErrorCode.ConcurrentTransactions;

    public static string Advice(ErrorCode error) => error switch
    {
        ErrorCode.MessageTooLarge => "raise the topic's max.message.bytes, compress, or write smaller records.",
        ErrorCode.CorruptMessage => "it was damaged on its way; look for a faulty network or memory.",
        ErrorCode.InvalidRecord => "the topic does not take such records; a compacted one needs keys.",
        ErrorCode.InvalidTimestamp => "its timestamps are further from the broker's clock than the topic allows.",
        ErrorCode.UnsupportedCompressionType => "the broker does not know its compression; choose another.",
        ErrorCode.TopicAuthorizationFailed => "this client may not write to the topic; ask for access to it.",
        ErrorCode.NotEnoughReplicas or ErrorCode.NotEnoughReplicasAfterAppend => "too few replicas are in sync; wait for brokers to return.",
        ErrorCode.InvalidProducerEpoch or ErrorCode.TransactionAbortable =>
            "the transaction was aborted, because it was open for too long or another producer has its transactional id.",
        _ => "see the broker's log.",
    };
}
