namespace OrleansLog.Client.Orleans.Streams;

/// <summary>
/// Where an Orleans stream provider keeps its streams. The silos and the clients of one cluster need the same settings for
/// the same provider.
/// </summary>
public sealed class LogStreamOptions
{
    /// <summary>The topic; the provider's name if null. It is created when it is not there.</summary>
    public string? Topic { get; set; }

    /// <summary>
    /// How many partitions the topic has, 1 or more. Each is a queue to Orleans, which shares the queues out among the silos.
    /// A stream stays in one of them, so their number cannot be changed while streams are in use.
    /// </summary>
    public int Partitions { get; set; } = 8;

    /// <summary>How many brokers hold each partition of a topic that is created here; -1 for the brokers' default.</summary>
    public short ReplicationFactor { get; set; } = -1;

    /// <summary>The consumer group that keeps what has been delivered; <c>streams-TOPIC</c> if null.</summary>
    public string? ConsumerGroup { get; set; }

    /// <summary>
    /// The most bytes of events that are kept per partition after they were read. A subscription that is further behind reads
    /// them again from the log.
    /// </summary>
    public long CacheBytesMax { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Brokers to reach by the Kafka protocol, <c>host:port</c> separated by commas; if null, the log's client of this host is
    /// used, which in the silos and clients of the log's own cluster goes over grains.
    /// </summary>
    public string? BootstrapServers { get; set; }
}
