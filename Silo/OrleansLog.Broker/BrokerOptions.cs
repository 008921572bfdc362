using OrleansLog.Broker.Configuration;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker;

/// <summary>What the embedded engine is started with.</summary>
public sealed record BrokerOptions
{
    /// <summary>Holds everything; made where it is missing. One process at a time owns it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The brokers of this process, each with its own address; their ids count from 0.</summary>
    public required IReadOnlyList<BrokerAddress> Brokers { get; init; }

    /// <summary>Broker configuration and the topics' defaults.</summary>
    public ConfigValues Config { get; init; } = ConfigValues.Empty;

    /// <summary>
    /// Opens a broker's endpoint when it begins to serve; disposed when it stops or is killed. A broker that is started again
    /// gets another one on the same address.
    /// </summary>
    public Func<Broker, IAsyncDisposable>? Serve { get; init; }
}
