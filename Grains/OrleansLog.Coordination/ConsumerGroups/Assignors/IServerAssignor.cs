namespace OrleansLog.Coordination.ConsumerGroups.Assignors;

/// <summary>A way of sharing out partitions. Stateless; the same input gives the same outcome.</summary>
internal interface IServerAssignor
{
    /// <summary>The name that members ask for it with.</summary>
    string Name { get; }

    /// <summary>
    /// What each member is to read: every partition of a topic goes to exactly one of the members that subscribe to it.
    /// </summary>
    Dictionary<string, PartitionSet> Assign(AssignmentInput input);
}

/// <summary>What is to be shared out among whom.</summary>
/// <param name="Members">In the order of their ids.</param>
/// <param name="Partitions">How many partitions each topic has.</param>
internal sealed record AssignmentInput(IReadOnlyList<AssignmentMember> Members, IReadOnlyDictionary<Guid, int> Partitions)
{
    /// <summary>The partitions of one topic, in their order.</summary>
    public IEnumerable<TopicIdPartition> PartitionsOf(Guid topic) =>
        Enumerable.Range(0, Partitions[topic]).Select(index => new TopicIdPartition(topic, index));
}

/// <summary>One that partitions go to.</summary>
/// <param name="Id">The member's id.</param>
/// <param name="InstanceId">The name that a static member keeps over restarts, or null.</param>
/// <param name="Topics">Those that it subscribes to and that exist.</param>
/// <param name="Former">What it was assigned last.</param>
internal sealed record AssignmentMember(string Id, string? InstanceId, IReadOnlySet<Guid> Topics, PartitionSet Former);
