using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Partitions;
using OrleansLog.Protocol;

namespace OrleansLog.Broker.Topics;

/// <summary>The living brokers, as topic control has them follow its changes. One change at a time.</summary>
public interface IReplicaHosts
{
    /// <summary>
    /// Each broker opens its replicas of the partitions from an index on; then their preferred leaders lead them, where they
    /// live.
    /// </summary>
    /// <exception cref="IOException">A replica could not be opened.</exception>
    Task OpenAsync(TopicImage topic, int from, PartitionSettings settings);

    /// <summary>Every broker closes its replicas of a topic and deletes their files.</summary>
    Task DeleteAsync(string topic, int partitionCount);

    /// <summary>Every broker puts a topic's changed configuration in force.</summary>
    void Configure(string topic, PartitionSettings settings);

    /// <summary>The preferred leader of a partition takes it over, where it lives and is in sync.</summary>
    Task LeadPreferredAsync(TopicPartition partition);

    /// <summary>
    /// A living replica of a partition that nobody leads takes it over: one that has everything, or else the one with the
    /// most records, though committed ones may be lost.
    /// </summary>
    /// <returns>How it began; null when no replica could.</returns>
    Task<UncleanStart?> LeadUncleanlyAsync(TopicPartition partition);

    /// <summary>The coordinators forget what groups committed for partitions that are gone.</summary>
    Task ForgetOffsetsAsync(IReadOnlyCollection<TopicPartition> partitions);
}

/// <summary>The beginning of a leadership that somebody asked for although records may be lost.</summary>
/// <param name="Leader">Who leads.</param>
/// <param name="From">Where its log ended.</param>
/// <param name="IsClean">Whether nothing can have been lost after all.</param>
public readonly record struct UncleanStart(BrokerId Leader, Offset From, bool IsClean);
