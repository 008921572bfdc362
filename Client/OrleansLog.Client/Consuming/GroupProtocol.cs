namespace OrleansLog.Client;

/// <summary>Who shares out the partitions of a group.</summary>
public enum GroupProtocol
{
    /// <summary>
    /// The members among themselves, by <see cref="ConsumerOptions.Assignors"/>. Every broker speaks it, and so do clients
    /// of any age in the same group.
    /// </summary>
    Classic,

    /// <summary>
    /// The coordinator (KIP-848), member by member: a rebalance does not stop those whose partitions stay. Needs brokers
    /// that speak it, Apache Kafka 4.0 for example. A group with classic members moves over when the first member asks for this.
    /// </summary>
    Consumer,
}
