namespace OrleansLog.Client;

/// <summary>A consumer group and who in it has read, for offsets that a transaction commits (KIP-447).</summary>
/// <param name="GroupId">The group.</param>
/// <param name="GenerationId">The generation or member epoch; -1 for a reader that is no member.</param>
/// <param name="MemberId">The member; empty for none.</param>
/// <param name="GroupInstanceId">The member's own name, if it has one.</param>
public sealed record ConsumerGroupMetadata(string GroupId, int GenerationId = -1, string MemberId = "", string? GroupInstanceId = null);
