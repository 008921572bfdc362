using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>Which offset of a partition is asked for: its ends, or the first record at or after a time.</summary>
public readonly record struct OffsetSpec(long Code)
{
    /// <summary>One past the last record that readers see.</summary>
    public static readonly OffsetSpec Latest = new(-1);

    /// <summary>The oldest record that is still there.</summary>
    public static readonly OffsetSpec Earliest = new(-2);

    /// <summary>The record with the highest timestamp (KIP-734).</summary>
    public static readonly OffsetSpec MaxTimestamp = new(-3);

    /// <summary>The oldest record that is on the leader's disk; older ones may be in remote storage (KIP-405).</summary>
    public static readonly OffsetSpec EarliestLocal = new(-4);

    /// <summary>The last record that is in remote storage; <see cref="Offset.None"/> if none is (KIP-1005).</summary>
    public static readonly OffsetSpec LatestTiered = new(-5);

    /// <summary>The first record at or after a time; <see cref="Latest"/> if there is none.</summary>
    public static OffsetSpec AtTimestamp(DateTimeOffset time) => new(time.ToUnixTimeMilliseconds());
}

/// <summary>An offset that was asked for.</summary>
/// <param name="Offset">The offset; <see cref="Offset.None"/> if no record is at or after the time asked for.</param>
/// <param name="TimestampMs">The record's timestamp in milliseconds since 1970, or -1.</param>
/// <param name="LeaderEpoch">The epoch in which it was written, if known.</param>
/// <param name="Error"><see cref="ErrorCode.None"/> if the partition answered.</param>
public readonly record struct ListedOffset(Offset Offset, long TimestampMs, LeaderEpoch LeaderEpoch, ErrorCode Error);
