using OrleansLog.Protocol;
using OrleansLog.Replication.Metadata;

namespace OrleansLog.UnitTests.Support;

/// <summary>What <see cref="ClusterScript"/> needs of a cluster.</summary>
internal interface IScriptedCluster
{
    Task<TestClient> ConnectAsync(BrokerId id);

    /// <summary>Waits until a partition's record is as it should be.</summary>
    Task<PartitionRecord> UntilAsync(string topic, Func<PartitionRecord, bool> isReached, int partition = 0);
}
