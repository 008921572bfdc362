using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLog.Cli.Commands;

/// <summary>What would come back from a remote store, as a broker tells it.</summary>
internal sealed record RestorePlan(
    string? Owner, string Cluster, long? TopicsAtMs, long? OffsetsAtMs, long? AliveAtMs, IReadOnlyList<PlannedTopic> Topics, int Groups, string? Refusal, string? SeemsAlive);

internal sealed record PlannedTopic(string Name, int ReplicationFactor, bool IsStored, bool IsThere, IReadOnlyList<PlannedPartition> Partitions);

internal sealed record PlannedPartition(int Partition, long Start, long End, long Bytes, string? Damage);

/// <summary>One step of a restore, or why it broke off.</summary>
internal sealed record RestoreStep(string? Topic, int Done, int Of, string? Note, string? Failure);

/// <summary>What a group had committed.</summary>
internal sealed record RestoredCommit(string Group, string Topic, int Partition, long Offset, int LeaderEpoch, string Metadata, bool WasFurther, string? Failure);

/// <summary>Up to when the remote store knows what a cluster is restored from besides records.</summary>
internal sealed record BackupState(long? TopicsAtMs, long? OffsetsAtMs, string? Failure);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RestorePlan))]
[JsonSerializable(typeof(RestoreStep))]
[JsonSerializable(typeof(RestoredCommit))]
[JsonSerializable(typeof(BackupState))]
internal sealed partial class RestoreJson : JsonSerializerContext;
