namespace OrleansLog.Storage.Tiering;

/// <summary>How much a broker fetches from a remote store at once, and keeps of it.</summary>
public sealed record RemoteReadOptions
{
    private const int BlockBytesLeast = 1 << 20;

    /// <summary>The most bytes that lie in memory or are on their way there, for all readers together; a single block may be larger.</summary>
    public long MemoryBytesMax { get; init; } = 128 << 20;

    /// <summary>The most bytes that are kept on the disk of what was fetched more than once.</summary>
    public long DiskBytesMax { get; init; } = 1 << 30;

    /// <summary>The most bytes of a segment that are fetched at once, of a part that is larger but for that.</summary>
    public int BlockBytesMax { get; init; } = 8 << 20;

    /// <summary>The most bytes that are fetched before a sequential reader asks for them.</summary>
    public long AheadBytesMax { get; init; } = 32 << 20;

    /// <summary>The same for a store that may be read at so many bytes a second: who waits for a part must not wait long for others that nobody has asked for.</summary>
    public RemoteReadOptions At(long bytesPerSecond) => this with
    {
        BlockBytesMax = (int)Math.Clamp(bytesPerSecond / 8, BlockBytesLeast, BlockBytesMax),
        AheadBytesMax = Math.Clamp(bytesPerSecond / 2, BlockBytesLeast, AheadBytesMax),
    };
}
