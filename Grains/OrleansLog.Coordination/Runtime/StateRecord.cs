namespace OrleansLog.Coordination.Runtime;

/// <summary>
/// A change of durable state, as a handler decides it and as <see cref="ICoordinatorShard.Replay"/> carries it out.
/// Immutable once handed over.
/// </summary>
public abstract class StateRecord
{
    /// <summary>
    /// Whether the change is written. False for one that a successor comes to by itself from what is: it is carried out with
    /// the others, and taken back with them, but lasts only as long as this coordinator.
    /// </summary>
    public virtual bool IsWritten => true;

    /// <summary>The value that deletes a key.</summary>
    protected static ReadOnlyMemory<byte>? Tombstone => default;

    /// <summary>The record as it goes into the partition.</summary>
    public abstract CoordinatorRecord Encode();
}
