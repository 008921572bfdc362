using OrleansLog.Benchmarks.Peers;

namespace OrleansLog.Benchmarks;

/// <summary>What every program takes from its command line; <see cref="CommandLine"/> holds the options' descriptions.</summary>
internal sealed record BenchmarkOptions
{
    public string[] Peers { get; init; } = [];

    /// <summary>Measured rounds of each broker; the brokers take turns.</summary>
    public int Rounds { get; init; } = 3;

    public double Seconds { get; init; } = 5;

    public Durability[] Durabilities { get; init; } = [];

    public int[] RecordBytes { get; init; } = [];

    /// <summary>Size of a batch made beforehand, in bytes of values.</summary>
    public int BatchBytes { get; init; } = 64 << 10;

    public int WindowRequests { get; init; } = 16;

    public int FetchBytes { get; init; } = 1 << 20;

    /// <summary>Connections to each broker, each with a topic of its own.</summary>
    public int Connections { get; init; } = 1;

    public int[] RecordsPerSecond { get; init; } = [];

    public double Gigabytes { get; init; } = 1;

    public int KeyMegabytes { get; init; } = 128;

    /// <summary>What of a topic in a remote store may stay on the broker's disk.</summary>
    public double LocalGigabytes { get; init; } = 0.1;

    /// <summary>A directory as the remote store; null for one beside the broker's data.</summary>
    public string? Store { get; init; }

    /// <summary>A blob storage as the remote store; null for a directory.</summary>
    public string? BlobConnection { get; init; }

    /// <summary>How fast the broker may read from the remote store, in megabytes a second; null for no limit.</summary>
    public int? FetchLimitMegabytes { get; init; }

    /// <summary>A running broker of ours as HOST:PORT; null to start one.</summary>
    public string? Target { get; init; }

    public int? TargetProcessId { get; init; }

    public int HttpPort { get; init; } = 8080;

    public string? SiloAssembly { get; init; }

    public string DataDirectory { get; init; } = "";

    public int FirstPort { get; init; } = 29_100;

    public int BatchRecords(int recordBytes) => Math.Max(1, BatchBytes / recordBytes);
}
