using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Records;

/// <summary>How far a group has read a partition.</summary>
/// <param name="Offset">The next offset to read.</param>
/// <param name="LeaderEpoch">The epoch of the last record read, or <see cref="LeaderEpoch.None"/>.</param>
/// <param name="Metadata">The client's own note.</param>
/// <param name="CommitTimestampMs">When it was committed, in milliseconds since the Unix epoch.</param>
/// <param name="ExpireTimestampMs">When it expires, where the client asked for a retention of its own.</param>
internal readonly record struct CommittedOffset(
    Offset Offset, LeaderEpoch LeaderEpoch, string Metadata, long CommitTimestampMs, long? ExpireTimestampMs);
