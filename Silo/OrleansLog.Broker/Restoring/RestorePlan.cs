using OrleansLog.Protocol;

namespace OrleansLog.Broker.Restoring;

/// <summary>What would come back from a remote store, and what speaks against it.</summary>
/// <param name="Owner">The cluster that the store belongs to; null where it holds none.</param>
/// <param name="Cluster">The cluster that it would come back into.</param>
/// <param name="TopicsAtMs">When topics were last written there, in milliseconds since 1970.</param>
/// <param name="OffsetsAtMs">The latest time at which committed offsets were.</param>
/// <param name="AliveAtMs">When the owner last gave a sign of life.</param>
/// <param name="Topics">The topics.</param>
/// <param name="Groups">How many groups have committed offsets.</param>
/// <param name="Refusal">Why nothing can be restored; null when it can.</param>
/// <param name="SeemsAlive">Why the owner seems to live; null when it does not.</param>
public sealed record RestorePlan(
    string? Owner, string Cluster, long? TopicsAtMs, long? OffsetsAtMs, long? AliveAtMs, IReadOnlyList<PlannedTopic> Topics, int Groups, string? Refusal, string? SeemsAlive);

/// <summary>One topic.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ReplicationFactor">How many replicas it will have, as far as there are brokers.</param>
/// <param name="IsStored">Whether its records are in the store; if not it will be empty.</param>
/// <param name="IsThere">Whether it is back already.</param>
/// <param name="Partitions">Its partitions.</param>
public sealed record PlannedTopic(string Name, int ReplicationFactor, bool IsStored, bool IsThere, IReadOnlyList<PlannedPartition> Partitions);

/// <summary>One partition.</summary>
/// <param name="Partition">Its number.</param>
/// <param name="Start">The first offset that will be there.</param>
/// <param name="End">The offset after the last one; the next record gets it.</param>
/// <param name="Bytes">How much that is in the store.</param>
/// <param name="Damage">What cannot be read of it, in words; null when nothing is missing or altered, as far as names and sizes tell.</param>
public sealed record PlannedPartition(int Partition, long Start, long End, long Bytes, string? Damage);

/// <summary>One step of a restore that is done.</summary>
/// <param name="Topic">The topic that is back.</param>
/// <param name="Done">How many are.</param>
/// <param name="Of">Of how many.</param>
/// <param name="Note">What is not as it was; null when all is.</param>
public sealed record RestoreStep(string Topic, int Done, int Of, string? Note);
