using Orleans.Runtime;
using OrleansLog.Protocol;

namespace OrleansLog.Grains.Placement;

/// <summary>Says which silo a grain belongs on, as far as this silo knows. Any thread.</summary>
public sealed class PinnedLocator(ILocalBroker local, BrokerSilos silos)
{
    /// <summary>The grain's broker: the one in its key, or whoever leads what it is named after.</summary>
    /// <exception cref="FormatException">The key is not one of the grain's kind.</exception>
    public BrokerId BrokerOf(GrainId grain) => grain.Type.ToString() switch
    {
        GrainTypes.Broker => new(checked((int)grain.GetIntegerKey())),
        GrainTypes.Connection => GrainKeys.ParseConnection(grain.Key.ToString()!),
        GrainTypes.Follower => GrainKeys.ParseFollower(grain.Key.ToString()!).Broker,
        GrainTypes.Partition => local.LeaderOf(GrainKeys.ParsePartition(grain.Key.ToString()!)),
        GrainTypes.GroupCoordinator => local.CoordinatorOf(checked((int)grain.GetIntegerKey())),
        GrainTypes.TransactionCoordinator => local.TransactionCoordinatorOf(checked((int)grain.GetIntegerKey())),
        GrainTypes.Controller => local.Controller,
        var other => throw new ArgumentException($"Grains of type {other} are not pinned.", nameof(grain)),
    };

    /// <summary>Where that broker is; null while it is not there.</summary>
    public SiloAddress? FindSilo(GrainId grain) => silos.Find(BrokerOf(grain));
}

/// <summary>What the grains' types are called on the wire.</summary>
internal static class GrainTypes
{
    public const string Broker = "orleanslog.broker";
    public const string Connection = "orleanslog.connection";
    public const string Follower = "orleanslog.follower";
    public const string Partition = "orleanslog.partition";
    public const string GroupCoordinator = "orleanslog.groups";
    public const string TransactionCoordinator = "orleanslog.transactions";
    public const string Controller = "orleanslog.controller";
}
