namespace OrleansLog.Coordination.Transactions;

/// <summary>The limits of transactions. Kafka's names stand with each.</summary>
public sealed record TransactionOptions
{
    /// <summary>Partitions of <c>__transaction_state</c> (<c>transaction.state.log.num.partitions</c>). Never changes once the topic exists.</summary>
    public int PartitionCount { get; init; } = 50;

    /// <summary>Partitions of <c>__consumer_offsets</c>, which committed offsets are written to.</summary>
    public int OffsetsPartitionCount { get; init; } = 50;

    /// <summary>The longest that a client may ask for a transaction to stay open (<c>transaction.max.timeout.ms</c>).</summary>
    public int MaxTimeoutMs { get; init; } = 900_000;

    /// <summary>How long an unused transactional id is remembered (<c>transactional.id.expiration.ms</c>: 7 days).</summary>
    public long IdExpirationMs { get; init; } = 7L * 24 * 60 * 60 * 1000;

    /// <summary>How often expired ids are looked for (<c>transaction.remove.expired.transaction.cleanup.interval.ms</c>).</summary>
    public int IdExpirationCheckIntervalMs { get; init; } = 3_600_000;

    /// <summary>
    /// How long it may stay unwritten that a transaction is complete, where no other follows that says so too, in milliseconds.
    /// A successor has the markers of those written again.
    /// </summary>
    public int CompleteAfterMs { get; init; } = 5_000;

    /// <summary>How long who begins a transaction is kept waiting for the end of the one before, in milliseconds.</summary>
    public int HoldMsMax { get; init; } = 400;

    /// <summary>The pause before what could not be written is written again.</summary>
    public int RetryDelayMs { get; init; } = 50;

    /// <summary>The most bytes (UTF-8) of a transactional id.</summary>
    public int MaxIdBytes { get; init; } = 8_192;

    /// <summary>The most partitions of one transaction.</summary>
    public int MaxPartitions { get; init; } = 10_000;
}
