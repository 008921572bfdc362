using OrleansLog.Grains.Calls;
using OrleansLog.Protocol;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Grains;

/// <summary>The broker of this silo, to which its grains pass everything on. Any thread.</summary>
public interface ILocalBroker
{
    BrokerId Id { get; }

    /// <summary>What other brokers ask of this one.</summary>
    /// <exception cref="IOException">It is not open (any more).</exception>
    IBrokerPeer Peer { get; }

    /// <summary>Who leads a partition, as far as is known here.</summary>
    BrokerId LeaderOf(TopicPartition partition);

    /// <summary>Who leads the offsets partition that a coordinator belongs to.</summary>
    BrokerId CoordinatorOf(int offsetsPartition);

    /// <summary>Who leads the partition of transactions that a coordinator belongs to.</summary>
    BrokerId TransactionCoordinatorOf(int statePartition);

    /// <summary>Who changes topics.</summary>
    BrokerId Controller { get; }

    /// <summary>Cancelled when the broker serves no more: nobody need wait for what it holds back.</summary>
    CancellationToken Stopping { get; }

    /// <inheritdoc cref="IBrokerGrain.HandleAsync"/>
    ValueTask<Payload> HandleAsync(Payload request, CancellationToken cancellationToken);

    /// <inheritdoc cref="IPartitionGrain.AppendAsync"/>
    ValueTask<AppendResult> AppendAsync(TopicPartition partition, Payload batches, short acks, int timeoutMs);

    /// <inheritdoc cref="IPartitionGrain.FetchAsync"/>
    ValueTask<FetchResult> FetchAsync(TopicPartition partition, FetchCall call);

    /// <inheritdoc cref="IPartitionGrain.ListOffsetAsync"/>
    ValueTask<OffsetResult> ListOffsetAsync(TopicPartition partition, long timestampMs);

    /// <inheritdoc cref="IPartitionGrain.DeleteRecordsAsync"/>
    ValueTask<OffsetResult> DeleteRecordsAsync(TopicPartition partition, long before);
}
