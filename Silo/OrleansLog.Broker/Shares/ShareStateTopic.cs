using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination.ShareStates;

namespace OrleansLog.Broker.Shares;

/// <summary>The internal topic of the states of share groups, and what its coordinators are limited to.</summary>
internal static class ShareStateTopic
{
    public static readonly CoordinatorTopic Topic = new(
        TopicName.ShareGroupState, BrokerConfigs.ShareCoordinatorStateTopicNumPartitions, BrokerConfigs.ShareCoordinatorStateTopicReplicationFactor,
        BrokerConfigs.ShareCoordinatorStateTopicSegmentBytes, "the state of every share group");

    public static ShareOptions Options(ConfigValues config) => new()
    {
        PartitionCount = config.Get(BrokerConfigs.ShareCoordinatorStateTopicNumPartitions),
        UpdatesPerSnapshot = config.Get(BrokerConfigs.ShareCoordinatorSnapshotUpdateRecordsPerSnapshot),
    };
}
