global using PartitionSet = System.Collections.Immutable.ImmutableSortedSet<OrleansLog.Coordination.ConsumerGroups.TopicIdPartition>;

namespace OrleansLog.Coordination.ConsumerGroups;

/// <summary>A partition by the id of its topic, which a topic made anew under the same name does not share.</summary>
internal readonly record struct TopicIdPartition(Guid TopicId, int Partition) : IComparable<TopicIdPartition>
{
    public int CompareTo(TopicIdPartition other)
    {
        var byTopic = TopicId.CompareTo(other.TopicId);
        return byTopic != 0 ? byTopic : Partition.CompareTo(other.Partition);
    }
}
