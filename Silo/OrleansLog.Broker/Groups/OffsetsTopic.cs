using System.Collections.Immutable;
using System.Globalization;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Coordination.ConsumerGroups;

namespace OrleansLog.Broker.Groups;

/// <summary>The internal topic of committed offsets, and what its coordinators are limited to.</summary>
internal static class OffsetsTopic
{
    public static NewTopic Describe(ConfigValues config, int brokerCount) => new(TopicName.ConsumerOffsets)
    {
        PartitionCount = config.Get(BrokerConfigs.OffsetsTopicNumPartitions),
        ReplicationFactor = Math.Min(config.Get(BrokerConfigs.OffsetsTopicReplicationFactor), brokerCount),
        Config = ImmutableDictionary<string, string>.Empty
            .Add(TopicConfigs.CleanupPolicy.Name, "compact")
            .Add(TopicConfigs.SegmentBytes.Name, config.Get(BrokerConfigs.OffsetsTopicSegmentBytes).ToString(CultureInfo.InvariantCulture)),
    };

    /// <summary>How many partitions there are decides where each group lives, so it cannot change.</summary>
    /// <exception cref="InvalidDataException">The configuration asks for another number than the topic was made with.</exception>
    public static void Check(ClusterImage cluster, ConfigValues config)
    {
        var wanted = config.Get(BrokerConfigs.OffsetsTopicNumPartitions);
        if (cluster.FindTopic(TopicName.ConsumerOffsets) is { } topic && topic.Partitions.Length != wanted)
            throw new InvalidDataException(
                $"{TopicName.ConsumerOffsets} was made with {topic.Partitions.Length} partitions, which places every group; " +
                $"start with --config offsets.topic.num.partitions={topic.Partitions.Length} instead of {wanted}.");
    }

    public static GroupOptions Options(ConfigValues config) => new()
    {
        PartitionCount = config.Get(BrokerConfigs.OffsetsTopicNumPartitions),
        InitialRebalanceDelayMs = config.Get(BrokerConfigs.GroupInitialRebalanceDelayMs),
        MinSessionTimeoutMs = config.Get(BrokerConfigs.GroupMinSessionTimeoutMs),
        MaxSessionTimeoutMs = config.Get(BrokerConfigs.GroupMaxSessionTimeoutMs),
        MaxGroupSize = config.Get(BrokerConfigs.GroupMaxSize),
        ConsumerHeartbeatIntervalMs = config.Get(BrokerConfigs.GroupConsumerHeartbeatIntervalMs),
        ConsumerSessionTimeoutMs = config.Get(BrokerConfigs.GroupConsumerSessionTimeoutMs),
        MaxConsumerGroupSize = config.Get(BrokerConfigs.GroupConsumerMaxSize),
        ConsumerAssignors = config.Get(BrokerConfigs.GroupConsumerAssignors),
        MigrationPolicy = Enum.Parse<GroupMigrationPolicy>(config.Get(BrokerConfigs.GroupConsumerMigrationPolicy), ignoreCase: true),
        ShareHeartbeatIntervalMs = config.Get(BrokerConfigs.GroupShareHeartbeatIntervalMs),
        ShareSessionTimeoutMs = config.Get(BrokerConfigs.GroupShareSessionTimeoutMs),
        MaxShareGroupSize = config.Get(BrokerConfigs.GroupShareMaxSize),
        OffsetMetadataMaxLength = config.Get(BrokerConfigs.OffsetMetadataMaxBytes),
        OffsetsRetentionMs = config.Get(BrokerConfigs.OffsetsRetentionMinutes) * 60_000L,
        OffsetsRetentionCheckIntervalMs = checked((int)config.Get(BrokerConfigs.OffsetsRetentionCheckIntervalMs)),
    };
}
