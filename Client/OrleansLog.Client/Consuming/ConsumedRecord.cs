using OrleansLog.Protocol;
using OrleansLog.Protocol.Records;

namespace OrleansLog.Client;

/// <summary>A record as an application reads it. Everything in it is its own: it may be kept as long as it likes.</summary>
public readonly struct ConsumedRecord<TKey, TValue>
{
    /// <summary>Where it was read.</summary>
    public TopicPartition TopicPartition { get; init; }

    public string Topic => TopicPartition.Topic;

    public int Partition => TopicPartition.Partition;

    public Offset Offset { get; init; }

    /// <summary>Milliseconds since 1970, set by the producer or, on topics that say so, by the broker.</summary>
    public long TimestampMs { get; init; }

    public DateTimeOffset Timestamp => DateTimeOffset.FromUnixTimeMilliseconds(TimestampMs);

    /// <summary>The key; the type's default when it is null (see <see cref="HasKey"/>).</summary>
    public TKey? Key { get; init; }

    /// <summary>The value; the type's default when it is null (see <see cref="IsTombstone"/>).</summary>
    public TValue? Value { get; init; }

    /// <summary>False: the key is null.</summary>
    public bool HasKey { get; init; }

    /// <summary>True: the value is null, which in a compacted topic deletes the key.</summary>
    public bool IsTombstone { get; init; }

    public IReadOnlyList<RecordHeader> Headers { get; init; }
}
