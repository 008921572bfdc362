using OrleansLog.Protocol;
using OrleansLog.Replication.Messages;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.World;

namespace OrleansLog.Simulation.Checking;

/// <summary>
/// One invariant of the design, by its number and name. It watches a run and says at once when it is broken.
/// </summary>
/// <param name="name">The number and name under which a violation is reported.</param>
public abstract class Checker(string name)
{
    public string Name => name;

    public SimCluster Cluster { get; internal set; } = null!;

    public virtual void OnRegistered(VersionedPartition? before, VersionedPartition after)
    {
    }

    public virtual void OnAppended(SimBroker broker, int firstBatch)
    {
    }

    public virtual void OnTruncating(SimBroker broker, Offset end)
    {
    }

    public virtual void OnRestarting(SimBroker broker)
    {
    }

    public virtual void OnHighWatermark(SimBroker broker, PartitionReplica replica, Offset highWatermark)
    {
    }

    public virtual void OnLed(SimBroker broker, LeaderEpoch epoch)
    {
    }

    public virtual void OnOpened(SimBroker broker)
    {
    }

    public virtual void OnSending(SimBroker from, BrokerId to, AppendRequest request, int outstanding)
    {
    }

    public virtual void OnAnswered(SimBroker broker, AppendRequest request, AppendReply reply)
    {
    }

    public virtual void OnAcknowledged(LeaderEpoch epoch, Offset offset, long value)
    {
    }

    public virtual void OnPolled(SimBroker broker, LeaderEpoch known, LeaderEpoch answered, Offset offset, long value)
    {
    }

    public virtual void OnFlushFailed(SimBroker broker)
    {
    }

    /// <summary>A document was written to the remote store.</summary>
    public virtual void OnStored(string name, ReadOnlyMemory<byte> content)
    {
    }

    public virtual void OnDeletedFromStore(string name)
    {
    }

    /// <summary>Runs after every event of the run.</summary>
    public virtual void AfterEvent()
    {
    }

    /// <summary>Runs when everything is healed and quiet.</summary>
    public virtual void AtEnd()
    {
    }

    protected void Require(bool holds, string message)
    {
        if (!holds) Cluster.Violate(name, message);
    }
}
