using OrleansLog.Broker.Configuration;

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
}

/// <summary>Where clients are told to reach a broker.</summary>
public readonly record struct BrokerAddress(string Host, int Port);
