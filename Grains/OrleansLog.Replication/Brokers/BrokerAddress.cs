namespace OrleansLog.Replication.Brokers;

/// <summary>Where clients are told to reach a broker, and where it stands.</summary>
public readonly record struct BrokerAddress(string Host, int Port, string? Rack = null);
