using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A topic to create.</summary>
/// <param name="Name">1 to 249 letters, digits, dots, underscores and dashes.</param>
/// <param name="PartitionCount">How many partitions; -1 for the broker's default.</param>
/// <param name="ReplicationFactor">How many brokers hold each partition; -1 for the broker's default.</param>
public sealed record NewTopic(string Name, int PartitionCount = -1, short ReplicationFactor = -1)
{
    /// <summary>Topic configuration by Kafka's names, where it differs from the broker's defaults.</summary>
    public IReadOnlyDictionary<string, string> Configs { get; init; } = new Dictionary<string, string>();
}

/// <summary>A topic as listed.</summary>
public sealed record TopicListing(string Name, Guid Id, bool IsInternal, int PartitionCount);

/// <summary>A topic and its partitions, in their order.</summary>
public sealed record TopicDescription(string Name, Guid Id, bool IsInternal, IReadOnlyList<PartitionDescription> Partitions);

/// <summary>One partition and who holds it.</summary>
/// <param name="Partition">Its index, from 0.</param>
/// <param name="Leader">The broker that leads it; <see cref="BrokerId.None"/> while there is none.</param>
/// <param name="LeaderEpoch">Counts its leaderships.</param>
/// <param name="Replicas">The brokers that should hold it.</param>
/// <param name="InSyncReplicas">Those that hold all that is committed.</param>
/// <param name="OfflineReplicas">Those that are not reachable.</param>
public sealed record PartitionDescription(
    int Partition,
    BrokerId Leader,
    LeaderEpoch LeaderEpoch,
    IReadOnlyList<BrokerId> Replicas,
    IReadOnlyList<BrokerId> InSyncReplicas,
    IReadOnlyList<BrokerId> OfflineReplicas);

/// <summary>What became of one item of a call that takes several.</summary>
/// <param name="Name">The topic, group, resource or partition that is meant.</param>
/// <param name="Error"><see cref="ErrorCode.None"/> if it succeeded.</param>
/// <param name="Message">What the broker said about it, if anything.</param>
public readonly record struct ItemResult(string Name, ErrorCode Error, string? Message)
{
    /// <exception cref="OrleansLogException">The item failed.</exception>
    public void ThrowIfFailed(string action)
    {
        if (Error == ErrorCode.None) return;
        throw new OrleansLogException(Error, $"Could not {action} '{Name}': {Message ?? Error.ToString()}.".Replace("..", ".", StringComparison.Ordinal));
    }
}
