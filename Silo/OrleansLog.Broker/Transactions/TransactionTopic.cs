using System.Collections.Immutable;
using System.Globalization;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination.Transactions;

namespace OrleansLog.Broker.Transactions;

/// <summary>The internal topic of transactions, and what its coordinators are limited to.</summary>
internal static class TransactionTopic
{
    public static NewTopic Describe(ConfigValues config, int brokerCount) => new(TopicName.TransactionState)
    {
        PartitionCount = config.Get(BrokerConfigs.TransactionStateLogNumPartitions),
        ReplicationFactor = Math.Min(config.Get(BrokerConfigs.TransactionStateLogReplicationFactor), brokerCount),
        Config = ImmutableDictionary<string, string>.Empty
            .Add(TopicConfigs.CleanupPolicy.Name, "compact")
            .Add(TopicConfigs.SegmentBytes.Name, config.Get(BrokerConfigs.TransactionStateLogSegmentBytes).ToString(CultureInfo.InvariantCulture)),
    };

    /// <summary>How many partitions there are decides where each transactional id lives, so it cannot change.</summary>
    /// <exception cref="InvalidDataException">The configuration asks for another number than the topic was made with.</exception>
    public static void Check(ClusterImage cluster, ConfigValues config)
    {
        var wanted = config.Get(BrokerConfigs.TransactionStateLogNumPartitions);
        if (cluster.FindTopic(TopicName.TransactionState) is { } topic && topic.Partitions.Length != wanted)
            throw new InvalidDataException(
                $"{TopicName.TransactionState} was made with {topic.Partitions.Length} partitions, which places every transactional id; " +
                $"start with --config transaction.state.log.num.partitions={topic.Partitions.Length} instead of {wanted}.");
    }

    public static TransactionOptions Options(ConfigValues config) => new()
    {
        PartitionCount = config.Get(BrokerConfigs.TransactionStateLogNumPartitions),
        OffsetsPartitionCount = config.Get(BrokerConfigs.OffsetsTopicNumPartitions),
        MaxTimeoutMs = config.Get(BrokerConfigs.TransactionMaxTimeoutMs),
        IdExpirationMs = config.Get(BrokerConfigs.TransactionalIdExpirationMs),
        IdExpirationCheckIntervalMs = config.Get(BrokerConfigs.TransactionalIdCleanupIntervalMs),
    };
}
