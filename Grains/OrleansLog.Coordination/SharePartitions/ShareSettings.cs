namespace OrleansLog.Coordination.SharePartitions;

/// <summary>How one share group is served. Kafka's names of the group's configs stand with each.</summary>
public sealed record ShareSettings
{
    /// <summary>For how long an acquired record is its member's (<c>share.record.lock.duration.ms</c>).</summary>
    public int RecordLockDurationMs { get; init; } = 30_000;

    /// <summary>How often a record is delivered before it is given up (<c>share.delivery.count.limit</c>).</summary>
    public int DeliveryCountLimit { get; init; } = 5;

    /// <summary>
    /// How many offsets there may be between the first that is not dealt with and the last that was acquired
    /// (<c>share.partition.max.record.locks</c>).
    /// </summary>
    public int MaxRecordLocks { get; init; } = 2_000;

    /// <summary>Whether members see committed transactions only (<c>share.isolation.level</c>).</summary>
    public bool ReadCommitted { get; init; }

    /// <summary>Where a group begins in a partition that it has not read (<c>share.auto.offset.reset</c>).</summary>
    public ShareOffsetReset AutoOffsetReset { get; init; } = ShareOffsetReset.Latest;
}

/// <summary>Where a share group begins.</summary>
/// <param name="Kind">Which end of the log, or how long ago.</param>
/// <param name="AgoMs">How long ago, in milliseconds, for <see cref="ShareOffsetResetKind.ByDuration"/>.</param>
public readonly record struct ShareOffsetReset(ShareOffsetResetKind Kind, long AgoMs = 0)
{
    public static readonly ShareOffsetReset Latest = new(ShareOffsetResetKind.Latest);
    public static readonly ShareOffsetReset Earliest = new(ShareOffsetResetKind.Earliest);
}

/// <summary>Which place a <see cref="ShareOffsetReset"/> means.</summary>
public enum ShareOffsetResetKind
{
    /// <summary>Behind all records there are.</summary>
    Latest,

    /// <summary>Before the first record there is.</summary>
    Earliest,

    /// <summary>Before the first record that is no older than a duration.</summary>
    ByDuration,
}
