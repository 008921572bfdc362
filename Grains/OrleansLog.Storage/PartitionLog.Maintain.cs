using OrleansLog.Protocol;

namespace OrleansLog.Storage;

public sealed partial class PartitionLog
{
    /// <summary>
    /// Cuts the log back so that it ends at or before <paramref name="offset"/>, always between two batches. The writer's
    /// turn only, until it completes.
    /// </summary>
    public ValueTask TruncateToAsync(Offset offset) => FlushAsync(LogEndOffset);

    /// <summary>
    /// Makes <paramref name="offset"/> the first that can be read (never past the log's end, never back), and deletes
    /// the segments that lie wholly before it. Completes when that is durable. The writer's turn only.
    /// </summary>
    /// <returns>The log start offset from now on.</returns>
    public ValueTask<Offset> DeleteBeforeAsync(Offset offset)
    {
        Volatile.Write(ref _logStartOffset, Offset.Max(LogStartOffset, Offset.Min(offset, LogEndOffset)).Value);
        return ValueTask.FromResult(LogStartOffset);
    }

    /// <summary>
    /// Flushes and notes how far recovery need not look. The log does so by itself every
    /// <see cref="LogOptions.CheckpointBytes"/>; a broker calls it for logs that fell idle. The writer's turn only to
    /// start it; appends may go on while it runs.
    /// </summary>
    public ValueTask CheckpointAsync() => FlushAsync(LogEndOffset);

    /// <summary>
    /// Up to where <see cref="LogOptions.RetentionMs"/> and <see cref="LogOptions.RetentionBytes"/> let the log be deleted,
    /// for <see cref="DeleteBeforeAsync"/>: the end of a sealed segment, or the log start offset. Any thread.
    /// </summary>
    public Offset RetentionOffset(long nowMs) => LogStartOffset;
}
