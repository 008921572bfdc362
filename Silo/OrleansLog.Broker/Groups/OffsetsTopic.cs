using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination;
using OrleansLog.Coordination.ConsumerGroups;

namespace OrleansLog.Broker.Groups;

/// <summary>The internal topic of committed offsets, and what its coordinators are limited to.</summary>
internal static class OffsetsTopic
{
    public static readonly CoordinatorTopic Topic = new(
        TopicName.ConsumerOffsets, BrokerConfigs.OffsetsTopicNumPartitions, BrokerConfigs.OffsetsTopicReplicationFactor,
        BrokerConfigs.OffsetsTopicSegmentBytes, "every group");

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
