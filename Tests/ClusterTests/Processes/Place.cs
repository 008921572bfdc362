namespace OrleansLog.ClusterTests.Processes;

/// <summary>Where a silo runs: its address there, and what its command is put behind.</summary>
internal sealed record Place(string Address, params string[] Prefix)
{
    public static Place Loopback { get; } = new("127.0.0.1");
}
