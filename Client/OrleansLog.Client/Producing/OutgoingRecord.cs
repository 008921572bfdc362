using OrleansLog.Protocol.Records;

namespace OrleansLog.Client;

/// <summary>
/// A record to produce, as bytes. The spans are copied before the call that takes the record returns.
/// </summary>
public readonly ref struct OutgoingRecord
{
    /// <summary>The key's bytes; looked at only when <see cref="HasKey"/> is set.</summary>
    public ReadOnlySpan<byte> Key { get; init; }

    /// <summary>False: the key is null.</summary>
    public bool HasKey { get; init; }

    /// <summary>The value's bytes.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    /// <summary>True: the value is null, which a compacted topic takes for the deletion of the key.</summary>
    public bool IsTombstone { get; init; }

    /// <summary>Which partition to write to; null leaves it to the partitioner.</summary>
    public int? Partition { get; init; }

    /// <summary>The record's own time, in milliseconds since 1970; null means now.</summary>
    public long? TimestampMs { get; init; }

    public ReadOnlySpan<RecordHeader> Headers { get; init; }
}

/// <summary>A record to produce, before it is serialized.</summary>
/// <param name="Key">The key; a null reference is a null key.</param>
/// <param name="Value">The value; a null reference is a null value, which a compacted topic takes for the deletion of the key.</param>
public readonly record struct OutgoingRecord<TKey, TValue>(TKey? Key, TValue? Value)
{
    /// <summary>Which partition to write to; null leaves it to the partitioner.</summary>
    public int? Partition { get; init; }

    /// <summary>The record's own time; null means now.</summary>
    public DateTimeOffset? Timestamp { get; init; }

    public IReadOnlyList<RecordHeader>? Headers { get; init; }
}
