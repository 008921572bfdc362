using OrleansLog.Storage.Tiering;

namespace OrleansLog.Broker.Tiering;

/// <summary>What the partitions of a broker share of remote storage.</summary>
/// <param name="Cache">Reads the store.</param>
/// <param name="Backlog">What waits for it.</param>
public sealed record RemoteTier(RemoteCache Cache, RemoteBacklog Backlog);
