using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>Where a produced record landed.</summary>
/// <param name="Topic">The topic it was sent to.</param>
/// <param name="Partition">The partition it was sent to, from 0.</param>
/// <param name="Offset">Its offset; <see cref="Offset.None"/> with <see cref="Acks.None"/>.</param>
/// <param name="LogAppendTimeMs">When the broker appended it, in milliseconds since 1970, on topics that keep that time; else -1.</param>
public readonly record struct RecordMetadata(string Topic, int Partition, Offset Offset, long LogAppendTimeMs);
