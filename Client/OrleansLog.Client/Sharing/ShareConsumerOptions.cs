using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>How a share consumer takes part in its group and fetches. Immutable: derive a variant with <c>with</c>.</summary>
public sealed record ShareConsumerOptions
{
    /// <summary>The share group.</summary>
    public required string GroupId { get; init; }

    /// <summary>Who says that a record was handled.</summary>
    public ShareAcknowledgement Acknowledgement { get; init; } = ShareAcknowledgement.Implicit;

    /// <summary>The most records that are acquired at a time; more where a batch goes on, unless <see cref="IsStrict"/>.</summary>
    public int RecordsMax { get; init; } = 500;

    /// <summary>Whether <see cref="RecordsMax"/> holds within a batch too, which brokers before Kafka 4.2 cannot (KIP-1206).</summary>
    public bool IsStrict { get; init; }

    /// <summary>The most bytes of one fetch, but for a first batch that is larger.</summary>
    public int FetchBytesMax { get; init; } = 52_428_800;

    /// <summary>How long a broker waits for a first record before it answers, in milliseconds.</summary>
    public int FetchWaitMsMax { get; init; } = 500;

    /// <summary>Where this process stands, for assignors that care.</summary>
    public string? Rack { get; init; }

    /// <summary>Whether the CRCs of batches are checked.</summary>
    public bool CheckCrcs { get; init; } = true;

    /// <summary>
    /// Told what became of acknowledgements, on any thread: those that go with a fetch have no other answer. What was refused
    /// is delivered again, to this member or another.
    /// </summary>
    public Action<ShareAcknowledged>? Acknowledged { get; init; }
}

/// <summary>Who says that a record was handled.</summary>
public enum ShareAcknowledgement
{
    /// <summary>Asking for the next record accepts the one before, unless something else was said about it.</summary>
    Implicit,

    /// <summary>
    /// The application says it of every record (<see cref="ShareRecord{TKey, TValue}.Accept"/>); what it says nothing about is
    /// delivered again when its lock ends.
    /// </summary>
    Explicit,
}

/// <summary>What became of acknowledgements of one partition's records.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offsets">The records.</param>
/// <param name="Error"><see cref="ErrorCode.None"/>, or why it is not known that they count.</param>
public sealed record ShareAcknowledged(TopicPartition Partition, IReadOnlyList<Offset> Offsets, ErrorCode Error);
