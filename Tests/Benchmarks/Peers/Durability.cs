namespace OrleansLog.Benchmarks.Peers;

/// <summary>What an acknowledgement stands for, on one node.</summary>
internal enum Durability
{
    /// <summary>The record is with the operating system; a crash of the machine may lose it.</summary>
    NoFlush,

    /// <summary>The record has been flushed to the disk.</summary>
    Flush,
}

internal static class DurabilityNames
{
    public static string Name(this Durability durability) => durability == Durability.Flush ? "flush" : "no-flush";
}
