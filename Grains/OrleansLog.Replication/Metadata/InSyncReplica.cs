using OrleansLog.Protocol;

namespace OrleansLog.Replication.Metadata;

/// <summary>
/// A member of the in-sync set: the broker, and its broker epoch when it showed that it had caught up. What a later
/// epoch of that broker still holds is for <see cref="BrokerRecord"/> to say (KIP-966).
/// </summary>
public readonly record struct InSyncReplica(BrokerId Broker, long BrokerEpoch);
