namespace OrleansLog.Coordination.ShareStates;

/// <summary>The limits of share coordinators. Kafka's names stand with each.</summary>
public sealed record ShareOptions
{
    /// <summary>Partitions of <c>__share_group_state</c> (<c>share.coordinator.state.topic.num.partitions</c>). Never changes once the topic exists.</summary>
    public int PartitionCount { get; init; } = 50;

    /// <summary>How many changes are written before the whole state is (<c>share.coordinator.snapshot.update.records.per.snapshot</c>).</summary>
    public int UpdatesPerSnapshot { get; init; } = 500;

    /// <summary>How often states of topics that are gone are looked for.</summary>
    public int ExpirationCheckIntervalMs { get; init; } = 600_000;

    /// <summary>The most offsets that a stored state may reach beyond its start offset.</summary>
    public int MaxOffsets { get; init; } = 100_000;

    /// <summary>The most bytes (UTF-8) of a group id.</summary>
    public int MaxNameBytes { get; init; } = 8_192;
}
