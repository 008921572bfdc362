namespace OrleansLog.Storage.Tiering;

/// <summary>How much of a tiered log is kept where; names and meanings are Kafka's (KIP-405).</summary>
public sealed record TieringOptions
{
    /// <summary>Records older than this may go altogether (<c>retention.ms</c>); -1 for never.</summary>
    public long RetentionMs { get; init; } = -1;

    /// <summary>The oldest segments may go altogether while the log is larger than this, in the store and after it (<c>retention.bytes</c>); -1 for no limit.</summary>
    public long RetentionBytes { get; init; } = -1;

    /// <summary>What is in the store and older than this may go from the disk (<c>local.retention.ms</c>); -1 for never.</summary>
    public long LocalRetentionMs { get; init; } = -1;

    /// <summary>What is in the store may go from the disk while that holds more than this (<c>local.retention.bytes</c>); -1 for no limit.</summary>
    public long LocalRetentionBytes { get; init; } = -1;

    /// <summary>Whether nothing more is to be put into the store (<c>remote.copy.disable</c>, KIP-950).</summary>
    public bool IsCopyDisabled { get; init; }

    /// <summary>How long what nobody reads any more stays in the store for those who began to.</summary>
    public long GarbageDelayMs { get; init; } = 60_000;
}
