using OrleansLog.Protocol.Records;

namespace OrleansLog.Client;

/// <summary>How a producer batches, retries and bounds its memory. Immutable: derive a variant with <c>with</c>.</summary>
public sealed record ProducerOptions
{
    /// <summary>What must have happened before a record counts as delivered.</summary>
    public Acks Acks { get; init; } = Acks.All;

    /// <summary>
    /// How long a record may wait for company, in milliseconds, while nothing of its partition is in flight. With 0 it
    /// leaves at once then, and while a request is in flight records gather anyway: light traffic has the latency of a
    /// round trip, heavy traffic large batches.
    /// </summary>
    public int LingerMs { get; init; }

    /// <summary>
    /// A batch is closed when it reaches this size, in bytes before compression. Memory is taken as a batch grows, so a
    /// large value costs idle partitions nothing. The broker's <c>max.message.bytes</c> (1 MiB by default) bounds it;
    /// a batch which the broker finds too large is split.
    /// </summary>
    public int BatchBytes { get; init; } = 1_000_000;

    /// <summary>The most bytes of one produce request; batches for several partitions share a request.</summary>
    public int RequestBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// The most bytes that wait for an acknowledgement. Beyond them <see cref="Producer.TryPost(string, in OutgoingRecord)"/>
    /// refuses and the awaitable calls wait.
    /// </summary>
    public long BufferBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>How long a call waits for room in the buffer, or for the first metadata of a topic, in milliseconds.</summary>
    public int BlockMsMax { get; init; } = 60_000;

    /// <summary>
    /// How long a record is tried for in all, in milliseconds, from its append to its batch; then it fails with
    /// <see cref="Protocol.ErrorCode.RequestTimedOut"/>, and whether it was stored is unknown.
    /// </summary>
    public int DeliveryTimeoutMs { get; init; } = 120_000;

    /// <summary>How long the leader may wait for its followers under <see cref="Acks.All"/>, in milliseconds.</summary>
    public int RequestTimeoutMs { get; init; } = 30_000;

    /// <summary>The most requests that wait for one broker's answer.</summary>
    public int RequestsInFlightPerBrokerMax { get; init; } = 5;

    /// <summary>
    /// Whether brokers are to know records again that a retry sends twice, so that each is stored once, in order (KIP-98).
    /// Takes <see cref="Acks.All"/>; with less it has no effect. Brokers that cannot do it are written to without.
    /// </summary>
    public bool EnableIdempotence { get; init; } = true;

    /// <summary>
    /// The name under which this producer writes transactions (KIP-98), and nobody else at a time: another producer of the same
    /// name ends what this one left open, and this one with it. Null for a producer without transactions. Takes brokers with
    /// <c>transaction.version</c> 2 (Apache Kafka 4.0).
    /// </summary>
    public string? TransactionalId { get; init; }

    /// <summary>
    /// How long a transaction may stay open, in milliseconds; then the broker aborts it. No more than the brokers'
    /// <c>transaction.max.timeout.ms</c>.
    /// </summary>
    public int TransactionTimeoutMs { get; init; } = 60_000;

    /// <summary>
    /// The most batches of one partition that wait for an answer. More than 1 hide a long round trip. The order of records
    /// survives every retry with 1, and with up to 5 where <see cref="EnableIdempotence"/> has effect, which allows no more;
    /// otherwise a retried batch may land behind a later one. A producer of transactions has 5: who commits waits for them.
    /// </summary>
    public int BatchesInFlightPerPartitionMax { get; init; } = 1;

    /// <summary>How batches are compressed.</summary>
    public CompressionType Compression { get; init; } = CompressionType.None;

    /// <summary>Which partition a record goes to when it does not say.</summary>
    public IPartitioner Partitioner { get; init; } = new Murmur2Partitioner();

    /// <summary>Whether brokers may create a topic that a record names, if they are configured to.</summary>
    public bool AllowTopicCreation { get; init; } = true;

    /// <summary>
    /// Called once per batch, when it was acknowledged or given up, from a thread of the pool: return soon and never
    /// block. It is how posted records report back.
    /// </summary>
    public Action<DeliveryReport>? OnDelivery { get; init; }
}
