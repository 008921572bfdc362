using OrleansLog.Storage;

namespace OrleansLog.Broker.Partitions;

/// <summary>What a topic's configuration means for each of its partitions.</summary>
/// <param name="Log">Segments, indexes and flushing.</param>
/// <param name="BatchBytesMax">The largest batch taken, in bytes (<c>max.message.bytes</c>).</param>
/// <param name="StampsAppendTime">Records get the broker's time (<c>message.timestamp.type=LogAppendTime</c>).</param>
/// <param name="TimestampBeforeMaxMs">How far a record's time may lie behind the broker's, in ms.</param>
/// <param name="TimestampAfterMaxMs">How far a record's time may lie ahead of the broker's, in ms.</param>
public sealed record PartitionSettings(
    LogOptions Log, int BatchBytesMax, bool StampsAppendTime, long TimestampBeforeMaxMs, long TimestampAfterMaxMs)
{
    /// <summary>
    /// Whether an append counts as committed before it is flushed: any <c>flush.messages</c> above 1, where the operator
    /// leaves durability to replicas or to the operating system.
    /// </summary>
    public bool AcknowledgesBeforeFlush => Log.FlushMessages > 1;
}
