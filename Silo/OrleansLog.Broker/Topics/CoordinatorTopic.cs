using System.Collections.Immutable;
using System.Globalization;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;

namespace OrleansLog.Broker.Topics;

/// <summary>An internal topic in which coordinators keep what they know, one coordinator for each partition.</summary>
/// <param name="Name">The topic.</param>
/// <param name="PartitionCount">How many coordinators there are.</param>
/// <param name="ReplicationFactor">Its replicas, as far as there are brokers.</param>
/// <param name="SegmentBytes">The size of a segment, in bytes.</param>
/// <param name="Places">What the number of partitions gives a place to, in words.</param>
internal sealed record CoordinatorTopic(
    string Name, ConfigDefinition<int> PartitionCount, ConfigDefinition<int> ReplicationFactor, ConfigDefinition<int> SegmentBytes, string Places)
{
    /// <summary>The topic as it is made when somebody first needs it.</summary>
    public NewTopic Describe(ConfigValues config, int brokerCount) => new(Name)
    {
        PartitionCount = config.Get(PartitionCount),
        ReplicationFactor = Math.Min(config.Get(ReplicationFactor), brokerCount),
        Config = ImmutableDictionary<string, string>.Empty
            .Add(TopicConfigs.CleanupPolicy.Name, "compact")
            .Add(TopicConfigs.SegmentBytes.Name, config.Get(SegmentBytes).ToString(CultureInfo.InvariantCulture)),
    };

    /// <summary>How many partitions there are decides what lives where, so it cannot change.</summary>
    /// <exception cref="InvalidDataException">The configuration asks for another number than the topic was made with.</exception>
    public void Check(ClusterImage cluster, ConfigValues config)
    {
        var wanted = config.Get(PartitionCount);
        if (cluster.FindTopic(Name) is { } topic && topic.Partitions.Length != wanted)
            throw new InvalidDataException(
                $"{Name} was made with {topic.Partitions.Length} partitions, which places {Places}; " +
                $"start with --config {PartitionCount.Name}={topic.Partitions.Length} instead of {wanted}.");
    }
}
