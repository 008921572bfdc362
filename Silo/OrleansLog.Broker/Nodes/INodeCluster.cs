using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;
using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Tiering;
using OrleansLog.Broker.Topics;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;
using OrleansLog.Replication.Metadata;
using OrleansLog.Replication.Replicas;
using OrleansLog.Storage;

namespace OrleansLog.Broker.Nodes;

/// <summary>What a broker has around it, whichever engine carries it. Any thread.</summary>
internal interface INodeCluster
{
    ILogFileSystem Files { get; }

    IMetadataRegister Register { get; }

    BrokerOptions Options { get; }

    TimeProvider Time { get; }

    ILoggerFactory Loggers { get; }

    /// <summary>What this broker knows of the cluster.</summary>
    ClusterDirectory Directory { get; }

    /// <summary>Where this broker sends what changes topics.</summary>
    TopicControl Topics { get; }

    /// <summary>The remote store; null where there is none.</summary>
    OwnedRemoteStore? RemoteStore { get; }

    ConfigValues Config => Options.Config;

    /// <summary>The way from a broker to the others.</summary>
    IReplicationChannel ChannelFrom(BrokerNode node);

    /// <summary>Another broker, living or not, as a broker's coordinators ask it.</summary>
    ICoordinatorPeer CoordinatorPeer(BrokerId from, BrokerId to);

    /// <summary>A partition's record was changed, by a broker or (null) by topic control.</summary>
    void RecordChanged(BrokerId? writer, TopicPartition id, PartitionRecord record);

    /// <summary>A broker is there, or back, in the life that its epoch counts.</summary>
    void Joined(BrokerNode node, long epoch);

    /// <summary>A broker is gone, as far as is known.</summary>
    void Left(BrokerNode node);
}
