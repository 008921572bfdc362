using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination.Transactions;

namespace OrleansLog.Broker.Transactions;

/// <summary>The internal topic of transactions, and what its coordinators are limited to.</summary>
internal static class TransactionTopic
{
    public static readonly CoordinatorTopic Topic = new(
        TopicName.TransactionState, BrokerConfigs.TransactionStateLogNumPartitions, BrokerConfigs.TransactionStateLogReplicationFactor,
        BrokerConfigs.TransactionStateLogSegmentBytes, "every transactional id");

    public static TransactionOptions Options(ConfigValues config) => new()
    {
        PartitionCount = config.Get(BrokerConfigs.TransactionStateLogNumPartitions),
        OffsetsPartitionCount = config.Get(BrokerConfigs.OffsetsTopicNumPartitions),
        MaxTimeoutMs = config.Get(BrokerConfigs.TransactionMaxTimeoutMs),
        IdExpirationMs = config.Get(BrokerConfigs.TransactionalIdExpirationMs),
        IdExpirationCheckIntervalMs = config.Get(BrokerConfigs.TransactionalIdCleanupIntervalMs),
    };
}
