namespace OrleansLog.Coordination.ConsumerGroups.Assignors;

/// <summary>
/// Gives each member a run of partitions of every topic, so that those of the same number in topics with equally many
/// go together. Static members stand in the order of their instance ids, and keep their places over restarts.
/// </summary>
internal sealed class RangeServerAssignor : IServerAssignor
{
    public string Name => "range";

    public Dictionary<string, PartitionSet> Assign(AssignmentInput input)
    {
        var shares = input.Members.ToDictionary(member => member.Id, _ => PartitionSet.Empty.ToBuilder());
        var members = input.Members.OrderBy(member => member.InstanceId is null)
            .ThenBy(member => member.InstanceId ?? member.Id, StringComparer.Ordinal).ToList();
        foreach (var topic in input.Partitions.Keys)
            Share(input.PartitionsOf(topic).ToList(), members.FindAll(member => member.Topics.Contains(topic)), shares);
        return shares.ToDictionary(share => share.Key, share => share.Value.ToImmutable());
    }

    private static void Share(List<TopicIdPartition> partitions, List<AssignmentMember> members, Dictionary<string, PartitionSet.Builder> shares)
    {
        var next = 0;
        for (var i = 0; i < members.Count; i++)
        {
            var count = partitions.Count / members.Count + (i < partitions.Count % members.Count ? 1 : 0);
            shares[members[i].Id].UnionWith(partitions.GetRange(next, count));
            next += count;
        }
    }
}
