using Microsoft.Extensions.Logging;
using OrleansLog.Broker.Configuration;

namespace OrleansLog.Silo.Options;

/// <summary>What carries the brokers of this process (DESIGN: one core, three engines).</summary>
public enum Engine
{
    /// <summary>All brokers in this process, no Orleans.</summary>
    Embedded,

    /// <summary>Brokers as grains of an Orleans cluster.</summary>
    Orleans,
}

/// <summary>Everything the process is started with, read and checked.</summary>
public sealed record SiloOptions
{
    /// <summary>Holds everything; made where it is missing.</summary>
    public string DataDirectory { get; init; } = "./data";

    /// <summary>The address or name on which Kafka clients and HTTP are served.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The name that clients are told to connect to; null for <see cref="Host"/>, or the machine's name if that is "every address".</summary>
    public string? AdvertisedHost { get; init; }

    /// <summary>The first broker's port; further brokers count up from it. 0 lets the system choose.</summary>
    public int KafkaPort { get; init; } = 9092;

    /// <summary>The port of health and metrics. 0 lets the system choose.</summary>
    public int HttpPort { get; init; } = 8080;

    /// <summary>How many brokers this process holds.</summary>
    public int Brokers { get; init; } = 1;

    /// <summary>Where the brokers stand, in turn and again from the first; empty to say nothing (<c>broker.rack</c>).</summary>
    public IReadOnlyList<string> Racks { get; init; } = [];

    public Engine Engine { get; init; } = Engine.Embedded;

    /// <summary>The least severe messages that are written to standard error.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>Broker configs given at start, under Kafka's names.</summary>
    public ConfigValues Config { get; init; } = ConfigValues.Empty;
}
