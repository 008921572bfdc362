using OrleansLog.Protocol;

namespace OrleansLog.Storage;

/// <summary>One segment, as retention, tiering and DescribeLogDirs see it.</summary>
/// <param name="BaseOffset">The offset that names its files.</param>
/// <param name="NextOffset">The offset after its last record.</param>
/// <param name="SizeInBytes">The length of its <c>.log</c> file.</param>
/// <param name="MaxTimestampMs">The latest record timestamp in it, -1 when no record has one.</param>
/// <param name="IsSealed">Nothing is appended to it any more.</param>
public readonly record struct SegmentInfo(
    Offset BaseOffset, Offset NextOffset, int SizeInBytes, long MaxTimestampMs, bool IsSealed);

/// <summary>An offset found by time (KIP-32), with the timestamp of the record there.</summary>
public readonly record struct TimestampedOffset(Offset Offset, long TimestampMs);

/// <summary>Where a leader epoch ends in a log (KIP-279): the largest epoch not above the asked one, and its end.</summary>
public readonly record struct EpochEndOffset(LeaderEpoch Epoch, Offset EndOffset)
{
    /// <summary>The log knows no such epoch.</summary>
    public static readonly EpochEndOffset Unknown = new(LeaderEpoch.None, Offset.None);
}
