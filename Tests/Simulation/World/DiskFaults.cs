namespace OrleansLog.Simulation.World;

/// <summary>How a disk behaves. May change while it is used.</summary>
public sealed class DiskFaults
{
    /// <summary>How long a flush takes, in microseconds, at least and at most.</summary>
    public (long Min, long Max) FlushUs { get; set; } = (100, 2_000);

    /// <summary>How often a flush fails, and takes the pages with it.</summary>
    public double FlushFails { get; set; }

    /// <summary>How often a read returns fewer bytes than it could.</summary>
    public double ShortReads { get; set; }

    /// <summary>How often a write finds the disk full, after a part of its bytes.</summary>
    public double WriteFails { get; set; }
}
