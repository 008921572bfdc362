using OrleansLog.Coordination;
using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Simulation.World;
using OrleansLog.Storage.Tiering;

namespace OrleansLog.Simulation.Faults;

/// <summary>A mistake put into a run through its ports, to see the checkers find it.</summary>
public abstract class PlantedBug
{
    /// <summary>The ports that the broker's replicas get.</summary>
    public virtual ReplicaPorts Plant(ReplicaPorts ports) => ports;

    /// <summary>What the broker believes of its own history.</summary>
    public virtual BrokerRecord RegisteredAs(BrokerRecord record) => record;

    /// <summary>Up to where a replica compacts its log.</summary>
    public virtual Offset CompactsBefore(PartitionReplica replica) => replica.HighWatermark;

    /// <summary>The remote store as the brokers get it.</summary>
    public virtual IRemoteStore Plant(IRemoteStore store) => store;

    /// <summary>Up to where a leader frees its disk of what the remote store has.</summary>
    public virtual Offset MayFree(TieredLog tier, PartitionReplica replica) => tier.LocalRetentionOffset();

    /// <summary>A coordinator's way to its partition.</summary>
    public virtual IPartitionWriter Plant(IPartitionWriter writer) => writer;

    /// <summary>The broker is down, its disk as the crash left it.</summary>
    public virtual void AfterCrash(SimBroker broker)
    {
    }
}
