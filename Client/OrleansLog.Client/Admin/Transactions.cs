using OrleansLog.Protocol;

namespace OrleansLog.Client;

/// <summary>A transactional id as listed; the state is for instance <c>Ongoing</c> or <c>CompleteCommit</c>.</summary>
public sealed record TransactionListing(string TransactionalId, long ProducerId, string State, BrokerId Coordinator);

/// <summary>What is known of a transactional id.</summary>
/// <param name="TransactionalId">The id.</param>
/// <param name="State">Where it stands.</param>
/// <param name="ProducerId">In whose name it writes.</param>
/// <param name="ProducerEpoch">Its latest epoch.</param>
/// <param name="Timeout">How long a transaction may stay open.</param>
/// <param name="StartedAt">When the open transaction began; null when there is none.</param>
/// <param name="Coordinator">The broker that coordinates it.</param>
/// <param name="Partitions">What is part of the open transaction.</param>
public sealed record TransactionDescription(
    string TransactionalId, string State, long ProducerId, short ProducerEpoch, TimeSpan Timeout, DateTimeOffset? StartedAt, BrokerId Coordinator,
    IReadOnlyList<TopicPartition> Partitions);

/// <summary>A producer that has written to a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="ProducerId">The producer.</param>
/// <param name="ProducerEpoch">Its latest epoch there.</param>
/// <param name="LastSequence">The number of its last record; -1 when that is not known.</param>
/// <param name="LastWrittenAt">The time of its last record; null when that is not known.</param>
/// <param name="CoordinatorEpoch">The coordinator that ended its last transaction; -1 before that.</param>
/// <param name="TransactionStart">Where its open transaction begins; null when it has none.</param>
public sealed record PartitionProducer(
    TopicPartition Partition, long ProducerId, short ProducerEpoch, int LastSequence, DateTimeOffset? LastWrittenAt, int CoordinatorEpoch, Offset? TransactionStart);
