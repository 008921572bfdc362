using OrleansLog.Client.Transport;
using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>The cluster and its brokers.</summary>
/// <param name="ClusterId">Its id.</param>
/// <param name="Controller">The broker that answers for topics; <see cref="BrokerId.None"/> if unknown.</param>
/// <param name="Brokers">The living brokers, by id.</param>
public sealed record ClusterDescription(string ClusterId, BrokerId Controller, IReadOnlyList<BrokerNode> Brokers);

/// <summary>A cluster and what it holds.</summary>
/// <param name="Cluster">The cluster and its brokers.</param>
/// <param name="Topics">Every topic that can be described, by name.</param>
public sealed record ClusterContents(ClusterDescription Cluster, IReadOnlyList<TopicDescription> Topics);

/// <summary>A directory in which a broker keeps partitions.</summary>
/// <param name="Broker">Whose it is.</param>
/// <param name="Path">Where it is, on that broker.</param>
/// <param name="Error"><see cref="ErrorCode.None"/> while it is usable.</param>
/// <param name="TotalBytes">Size of its volume, or -1.</param>
/// <param name="UsableBytes">Free space of its volume, or -1.</param>
/// <param name="Partitions">What it holds.</param>
public sealed record LogDirectory(
    BrokerId Broker, string Path, ErrorCode Error, long TotalBytes, long UsableBytes, IReadOnlyList<LogDirectoryPartition> Partitions);

/// <summary>A partition in a log directory, and how many bytes it takes there.</summary>
public readonly record struct LogDirectoryPartition(TopicPartition Partition, long SizeInBytes);
