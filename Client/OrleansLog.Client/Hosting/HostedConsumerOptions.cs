namespace OrleansLog.Client;

/// <summary>Which records of a hosted consumer wait for one another.</summary>
public enum HandlingOrder
{
    /// <summary>Those of one key; those without a key, of one partition.</summary>
    ByKey,

    /// <summary>Those of one partition.</summary>
    ByPartition,
}

/// <summary>How a hosted consumer reads, and what becomes of records that cannot be handled. Immutable: derive a variant with <c>with</c>.</summary>
public sealed record HostedConsumerOptions<TKey, TValue>
{
    /// <summary>The name that it has in logs, metrics and health; the group's by default.</summary>
    public string? Name { get; init; }

    /// <summary>The topics to read; empty when <see cref="TopicPattern"/> says.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>An expression that the topics to read match, instead of <see cref="Topics"/>.</summary>
    public string? TopicPattern { get; init; }

    /// <summary>
    /// How it takes part in its group: <see cref="ConsumerOptions.GroupId"/> must be set.
    /// <see cref="ConsumerOptions.Commit"/> is not looked at: what was handled is committed, and nothing else.
    /// </summary>
    public ConsumerOptions Consumer { get; init; } = new();

    /// <summary>How to read keys; the built-in way of the type if null.</summary>
    public IDeserializer<TKey>? KeyDeserializer { get; init; }

    /// <summary>How to read values; the built-in way of the type if null.</summary>
    public IDeserializer<TValue>? ValueDeserializer { get; init; }

    /// <summary>The most records that are handled at the same time, 1 or more.</summary>
    public int Concurrency { get; init; } = 1;

    /// <summary>Which records wait for one another.</summary>
    public HandlingOrder Order { get; init; } = HandlingOrder.ByKey;

    /// <summary>The most records that have been read and wait for their turn. Reading pauses while there are so many.</summary>
    public int QueuedRecordsMax { get; init; } = 1_000;

    /// <summary>How often a record that could not be handled is tried again.</summary>
    public int RetriesMax { get; init; } = 3;

    /// <summary>The pause before the first retry, in milliseconds; each further one is twice as long.</summary>
    public int RetryBackoffMs { get; init; } = 200;

    /// <summary>The longest pause before a retry, in milliseconds.</summary>
    public int RetryBackoffMsMax { get; init; } = 10_000;

    /// <summary>Whether what a handler threw may pass, so that trying again makes sense. Null: everything may.</summary>
    public Func<Exception, bool>? ShouldRetry { get; init; }

    /// <summary>
    /// Where records go that cannot be handled or read, with their keys, values and headers, and with headers that say
    /// why (<see cref="DeadLetterHeaders"/>). Null: such a record stops the consumer, and with it the host, and comes
    /// again after a restart.
    /// </summary>
    public string? DeadLetterTopic { get; init; }

    /// <summary>How often what was handled is committed, in milliseconds; on a rebalance and at the end in any case.</summary>
    public int CommitIntervalMs { get; init; } = 1_000;

    /// <summary>How long records in hand may go on when partitions move or the host stops, in milliseconds; then they are cancelled.</summary>
    public int DrainTimeoutMs { get; init; } = 20_000;

    internal string DisplayName => Name ?? Consumer.GroupId ?? "consumer";

    /// <exception cref="ArgumentException">Something is missing, or out of its range.</exception>
    internal HostedConsumerOptions<TKey, TValue> Checked()
    {
        if (Consumer.GroupId is null) throw new ArgumentException("A hosted consumer needs a group: set Consumer.GroupId.");
        if ((Topics.Count > 0) == (TopicPattern is not null)) throw new ArgumentException("A hosted consumer reads either Topics or what matches TopicPattern: set one of them.");
        ArgumentOutOfRangeException.ThrowIfLessThan(Concurrency, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(QueuedRecordsMax, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(RetriesMax);
        ArgumentOutOfRangeException.ThrowIfNegative(RetryBackoffMs);
        ArgumentOutOfRangeException.ThrowIfLessThan(CommitIntervalMs, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(DrainTimeoutMs);
        return this;
    }
}
