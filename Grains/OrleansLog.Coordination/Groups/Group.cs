using OrleansLog.Coordination.Records;
using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Groups;

/// <summary>What every kind of group has: committed offsets, and rules for who may change them.</summary>
internal abstract class Group(string id)
{
    public string Id => id;

    /// <summary>The offsets that the group has committed. Durable: changes in replay only.</summary>
    public Dictionary<TopicPartition, CommittedOffset> Offsets { get; init; } = [];

    /// <summary>Kafka's name of the type, as groups are listed with it.</summary>
    public abstract string TypeName { get; }

    /// <summary>Kafka's name of the state.</summary>
    public abstract string StateName { get; }

    public abstract string ProtocolTypeName { get; }

    /// <summary>Whether nothing would be lost if the group were forgotten: no records, no members, nobody expected.</summary>
    public abstract bool IsForgettable { get; }

    /// <summary>Whether the group has no members.</summary>
    public abstract bool IsEmpty { get; }

    /// <summary>Whether there are records of the group itself, beside its offsets.</summary>
    public abstract bool HasMetadata { get; }

    /// <summary>Whether a group that is empty is forgotten after a while.</summary>
    public virtual bool Expires => true;

    /// <summary>Whether this member, in this generation, may commit offsets now.</summary>
    public abstract ErrorCode ValidateCommit(string memberId, string? instanceId, int generation);

    /// <summary>Whether this member, in this epoch, may read the group's offsets; null is nobody in particular.</summary>
    public virtual ErrorCode ValidateFetch(string? memberId, int epoch) => ErrorCode.None;

    /// <summary>Whether the member is one of the classic protocol, whose requests count generations.</summary>
    public virtual bool SpeaksClassic(string memberId) => true;

    /// <summary>Whether offsets may be deleted by an administrator now.</summary>
    public abstract ErrorCode ValidateOffsetDelete();

    /// <summary>Whether a member reads the topic, as far as the coordinator can tell.</summary>
    public abstract bool IsSubscribedTo(string topic);

    /// <summary>The records that leave nothing of the group but its offsets.</summary>
    public abstract IEnumerable<StateRecord> Tombstones();

    /// <summary>From when the retention of an offset counts, or null while it may not expire.</summary>
    public abstract long? RetentionStartMs(in CommittedOffset offset);
}
