using System.Collections.Immutable;
using System.Globalization;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination.ShareStates;

namespace OrleansLog.Broker.Shares;

/// <summary>The internal topic of the states of share groups, and what its coordinators are limited to.</summary>
internal static class ShareStateTopic
{
    public static NewTopic Describe(ConfigValues config, int brokerCount) => new(TopicName.ShareGroupState)
    {
        PartitionCount = config.Get(BrokerConfigs.ShareCoordinatorStateTopicNumPartitions),
        ReplicationFactor = Math.Min(config.Get(BrokerConfigs.ShareCoordinatorStateTopicReplicationFactor), brokerCount),
        Config = ImmutableDictionary<string, string>.Empty
            .Add(TopicConfigs.CleanupPolicy.Name, "compact")
            .Add(TopicConfigs.SegmentBytes.Name, config.Get(BrokerConfigs.ShareCoordinatorStateTopicSegmentBytes).ToString(CultureInfo.InvariantCulture)),
    };

    /// <summary>How many partitions there are decides where each share-partition's state lives, so it cannot change.</summary>
    /// <exception cref="InvalidDataException">The configuration asks for another number than the topic was made with.</exception>
    public static void Check(ClusterImage cluster, ConfigValues config)
    {
        var wanted = config.Get(BrokerConfigs.ShareCoordinatorStateTopicNumPartitions);
        if (cluster.FindTopic(TopicName.ShareGroupState) is { } topic && topic.Partitions.Length != wanted)
            throw new InvalidDataException(
                $"{TopicName.ShareGroupState} was made with {topic.Partitions.Length} partitions, which places the state of every share group; " +
                $"start with --config share.coordinator.state.topic.num.partitions={topic.Partitions.Length} instead of {wanted}.");
    }

    public static ShareOptions Options(ConfigValues config) => new()
    {
        PartitionCount = config.Get(BrokerConfigs.ShareCoordinatorStateTopicNumPartitions),
        UpdatesPerSnapshot = config.Get(BrokerConfigs.ShareCoordinatorSnapshotUpdateRecordsPerSnapshot),
    };
}
