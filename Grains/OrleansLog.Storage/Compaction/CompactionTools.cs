using OrleansLog.Protocol.Records;

namespace OrleansLog.Storage.Compaction;

/// <summary>What a compaction works with.</summary>
public sealed record CompactionTools
{
    /// <summary>The most memory for the keys that one pass tells apart, in bytes, 8 for each and some room (<c>log.cleaner.dedupe.buffer.size</c>).</summary>
    public long KeyBytesMax { get; init; } = 128L << 20;

    /// <summary>Opens and closes compressed batches. Those whose codec it does not know stay as they are.</summary>
    public Func<CompressionType, IRecordCompressor?> Compressors { get; init; } = static _ => null;

    /// <summary>
    /// Called after each piece of work with the bytes read and written: waits until so much may be done, and throws
    /// <see cref="OperationCanceledException"/> to end it.
    /// </summary>
    public Func<long, ValueTask> Pace { get; init; } = static _ => ValueTask.CompletedTask;

    /// <summary>Secret, lest somebody make keys that are taken for one another.</summary>
    public (ulong, ulong) HashSeed { get; init; }
}
