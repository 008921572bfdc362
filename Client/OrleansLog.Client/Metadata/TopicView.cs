using System.Collections.Immutable;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client.Metadata;

/// <summary>What is known of a topic. Immutable.</summary>
internal sealed record TopicView(string Name, Guid Id, bool IsInternal, ErrorCode Error, ImmutableArray<PartitionView> Partitions)
{
    /// <param name="topic">What a broker answered.</param>
    /// <param name="known">What was known before: a leadership that is older than a known one is not believed (KIP-320).</param>
    public static TopicView From(MetadataResponse.MetadataResponseTopic topic, TopicView? known)
    {
        var comparable = known is not null && known.Id == topic.TopicId ? known.Partitions : [];
        var partitions = topic.Partitions.OrderBy(partition => partition.PartitionIndex)
            .Select(partition => PartitionView.From(partition, comparable)).ToImmutableArray();
        return new TopicView(topic.Name!, topic.TopicId, topic.IsInternal, topic.ErrorCode, partitions);
    }
}

/// <summary>What is known of a partition. Immutable.</summary>
internal sealed record PartitionView(
    int Index,
    ErrorCode Error,
    BrokerId Leader,
    LeaderEpoch LeaderEpoch,
    ImmutableArray<BrokerId> Replicas,
    ImmutableArray<BrokerId> InSync,
    ImmutableArray<BrokerId> Offline)
{
    public static PartitionView From(MetadataResponse.MetadataResponsePartition partition, ImmutableArray<PartitionView> known)
    {
        var view = new PartitionView(
            partition.PartitionIndex,
            partition.ErrorCode,
            new BrokerId(partition.LeaderId),
            new LeaderEpoch(partition.LeaderEpoch),
            Ids(partition.ReplicaNodes),
            Ids(partition.IsrNodes),
            Ids(partition.OfflineReplicas));
        var before = known.FirstOrDefault(other => other.Index == view.Index);
        return before is null || before.LeaderEpoch <= view.LeaderEpoch
            ? view
            : view with { Leader = before.Leader, LeaderEpoch = before.LeaderEpoch };
    }

    private static ImmutableArray<BrokerId> Ids(List<int> ids) => [.. ids.Select(id => new BrokerId(id))];
}
