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

/// <summary>How silos find one another.</summary>
public enum Clustering
{
    /// <summary>This one is alone; everything is in its data directory.</summary>
    Local,

    /// <summary>Through a blob container, which holds the membership and the metadata register.</summary>
    Blobs,

    /// <summary>Through Orleans' own providers (ADO.NET, Redis, Azure tables and so on), as <see cref="SiloOptions.OrleansSettings"/> names them.</summary>
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

    /// <summary>What carries the brokers; null for what the build has (<see cref="Engines.DefaultFor"/>).</summary>
    public Engine? Engine { get; init; }

    /// <summary>Who this broker is, in a cluster of several processes; null for the id in its data directory, or else a new one.</summary>
    public int? BrokerId { get; init; }

    /// <summary>How the processes of a cluster find one another, and where they keep what they agree on.</summary>
    public Clustering Clustering { get; init; } = Clustering.Local;

    /// <summary>The cluster's name among those that share a blob container.</summary>
    public string ClusterName { get; init; } = "orleanslog";

    /// <summary>What the blob container is reached with: a connection string.</summary>
    public string? BlobConnection { get; init; }

    /// <summary>The address of the blob storage or of its container, instead of a connection string: with a SAS, or for this machine's identity.</summary>
    public string? BlobEndpoint { get; init; }

    /// <summary>The blob container that holds the cluster.</summary>
    public string BlobContainer { get; init; } = "orleanslog";

    /// <summary>A JSON file with Orleans' own configuration, for <see cref="Clustering.Orleans"/>; null for the one that has ours.</summary>
    public string? OrleansSettings { get; init; }

    /// <summary>Holds the assemblies of the providers that those settings name, and what they need; null where none are wanted.</summary>
    public string? OrleansProviders { get; init; }

    /// <summary>Where other silos reach this one.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary>Where Orleans clients reach this silo.</summary>
    public int GatewayPort { get; init; } = 30000;

    /// <summary>The least severe messages that are written to standard error.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>Broker configs given at start, under Kafka's names.</summary>
    public ConfigValues Config { get; init; } = ConfigValues.Empty;
}
