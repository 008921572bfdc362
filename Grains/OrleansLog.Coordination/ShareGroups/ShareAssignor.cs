using OrleansLog.Coordination.ConsumerGroups;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>
/// Shares out partitions among members, several of which may have the same one (KIP-932: the simple assignor). Where a topic
/// has fewer partitions than members every member gets one, and every partition as many members as the next, give or take
/// one; where it has more, every partition goes to one member. The same input gives the same outcome.
/// </summary>
internal static class ShareAssignor
{
    public const string Name = "simple";

    /// <param name="state">The group.</param>
    /// <param name="memberId">The member whose share is asked for.</param>
    /// <param name="topics">The topics that there are.</param>
    public static PartitionSet Assign(ShareGroupState state, string memberId, ITopicDirectory topics)
    {
        var assigned = PartitionSet.Empty.ToBuilder();
        foreach (var topic in state.Topics.Initialized.GroupBy(partition => partition.TopicId))
        {
            var name = topics.NameOf(topic.Key);
            if (name is null)
                continue;
            var members = state.Members.Values.Where(member => member.Topics.Contains(name)).Select(member => member.Id).ToList();
            var place = members.IndexOf(memberId);
            if (place < 0)
                continue;
            var partitions = topic.ToList();
            var first = Rotation(name, members.Count);
            assigned.UnionWith(Share(partitions, (place + first) % members.Count, members.Count));
        }
        return assigned.ToImmutable();
    }

    private static IEnumerable<TopicIdPartition> Share(List<TopicIdPartition> partitions, int place, int members) => members >= partitions.Count
        ? [partitions[place % partitions.Count]]
        : partitions.Where((_, index) => index % members == place);

    // Where many topics have one partition, they do not all go to the same member.
    private static int Rotation(string topic, int members) => GroupCoordinator.PartitionFor(topic, members);
}
