using OrleansLog.Coordination.ConsumerGroups;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.ShareGroups;

/// <summary>
/// What a handler has decided about one share group so far: the records go into the result, and the state is what they will
/// lead to. Lives for one request.
/// </summary>
internal sealed class ShareGroupDraft(string groupId, ShareGroupState state, CoordinatorResult result)
{
    public string GroupId => groupId;

    public CoordinatorResult Result => result;

    public ShareGroupState State { get; private set; } = state;

    public void Write(ShareGroupRecord record)
    {
        result.Append(record);
        State = record.Apply(State);
    }

    public void Bump() => Bump(State.TopicsHash);

    public void Set(ShareTopics topics)
    {
        if (State.Topics != topics)
            Write(new ShareTopicsRecord(groupId, topics));
    }

    /// <summary>
    /// Looks at the topics anew. Those that have no state yet are to be given one, and the group's epoch moves on if they are
    /// other ones. True when there are states to be made.
    /// </summary>
    public bool Refresh(ITopicDirectory topics, bool mustBump)
    {
        var present = Subscribed(topics);
        var missing = present.Except(State.Topics.All);
        if (!missing.IsEmpty)
            Set(State.Topics.Begin(missing, id => topics.NameOf(id) ?? ""));
        var hash = Hash(present);
        if (mustBump || hash != State.TopicsHash)
            Bump(hash);
        return !missing.IsEmpty;
    }

    /// <summary>Gives a member its share of the present epoch.</summary>
    public ShareMember Assign(string memberId, ITopicDirectory topics)
    {
        var member = State.Find(memberId)!;
        if (member.Epoch == State.Epoch)
            return member;
        var assigned = member with
        {
            Epoch = State.Epoch ?? 0,
            PreviousEpoch = member.Epoch,
            Assigned = ShareAssignor.Assign(State, memberId, topics),
        };
        Write(new ShareAssignmentRecord(groupId, memberId, assigned));
        return assigned;
    }

    public void Remove(string memberId)
    {
        result.CancelTimer(ShareHeartbeat.SessionTimer(groupId, memberId));
        foreach (var record in ShareGroup.Tombstones(groupId, memberId))
            Write(record);
        Bump();
    }

    private void Bump(long hash) => Write(new ShareEpochRecord(groupId, (State.Epoch ?? 0) + 1, hash));

    private PartitionSet Subscribed(ITopicDirectory topics)
    {
        var partitions = PartitionSet.Empty.ToBuilder();
        foreach (var name in State.Members.Values.SelectMany(member => member.Topics).Distinct(StringComparer.Ordinal))
        {
            if (topics.Find(name) is { } topic)
                partitions.UnionWith(Enumerable.Range(0, topic.PartitionCount).Select(index => new TopicIdPartition(topic.Id, index)));
        }
        return partitions.ToImmutable();
    }

    private static long Hash(PartitionSet partitions)
    {
        var hash = 0u;
        Span<byte> bytes = stackalloc byte[20];
        foreach (var partition in partitions)
        {
            partition.TopicId.TryWriteBytes(bytes);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes[16..], partition.Partition);
            hash = Crc32C.Append(hash, bytes);
        }
        return hash;
    }
}
