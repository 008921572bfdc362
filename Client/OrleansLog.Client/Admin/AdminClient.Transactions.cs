using OrleansLog.Client.Metadata;
using OrleansLog.Client.Transport;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Client;

/// <summary>Transactions (KIP-664).</summary>
public sealed partial class AdminClient
{
    /// <summary>The transactional ids of all coordinators, by id.</summary>
    /// <param name="states">Only those in one of these states; all if there is none.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    public async Task<IReadOnlyList<TransactionListing>> ListTransactionsAsync(
        IReadOnlyCollection<string>? states = null, CancellationToken cancellationToken = default)
    {
        List<TransactionListing> transactions = [];
        foreach (var broker in await BrokersAsync(cancellationToken))
        {
            var response = await _cluster.RetryAsync($"list the transactions of broker {broker.Id}", async token =>
            {
                var answer = await _cluster.Transport.SendAsync(
                    broker.Id, Lane.Control, new ListTransactionsRequest { StateFilters = [.. states ?? []] }, token);
                Require(answer.ErrorCode, null, $"list the transactions of broker {broker.Id}");
                return answer;
            }, cancellationToken);
            transactions.AddRange(response.TransactionStates.Select(state => new TransactionListing(state.TransactionalId, state.ProducerId, state.State, broker.Id)));
        }
        return [.. transactions.OrderBy(transaction => transaction.TransactionalId, StringComparer.Ordinal)];
    }

    /// <summary>Where a transactional id stands; null for one that is not known.</summary>
    public async Task<TransactionDescription?> DescribeTransactionAsync(string transactionalId, CancellationToken cancellationToken = default)
    {
        var coordinator = TransactionCoordinatorOf(transactionalId);
        var response = await coordinator.SendAsync(
            "describe", new DescribeTransactionsRequest { TransactionalIds = [transactionalId] }, answer => answer.TransactionStates[0].ErrorCode, cancellationToken);
        var state = response.TransactionStates[0];
        if (state.ErrorCode == ErrorCode.TransactionalIdNotFound) return null;
        Require(state.ErrorCode, null, $"describe the transactional id '{transactionalId}'");
        return new(
            transactionalId, state.State, state.ProducerId, state.ProducerEpoch, TimeSpan.FromMilliseconds(state.TransactionTimeoutMs),
            state.TransactionStartTimeMs < 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(state.TransactionStartTimeMs),
            await coordinator.FindAsync(cancellationToken),
            [.. state.Topics.SelectMany(topic => topic.Partitions.Select(index => new TopicPartition(topic.Topic, index)))]);
    }

    /// <summary>The producers that the leaders of these partitions remember.</summary>
    public async Task<IReadOnlyList<PartitionProducer>> DescribeProducersAsync(
        IReadOnlyCollection<TopicPartition> partitions, CancellationToken cancellationToken = default)
    {
        List<PartitionProducer> producers = [];
        foreach (var partition in partitions)
        {
            var answer = await AskLeaderAsync(
                partition, $"describe the producers of {partition}",
                new DescribeProducersRequest { Topics = [new() { Name = partition.Topic, PartitionIndexes = [partition.Partition] }] },
                response => response.Topics[0].Partitions[0].ErrorCode, cancellationToken);
            producers.AddRange(answer.Topics[0].Partitions[0].ActiveProducers.Select(producer => ToProducer(partition, producer)));
        }
        return producers;
    }

    /// <summary>
    /// Ends the work of a transactional id's present producer: what it has open is aborted, and whatever it writes from then on
    /// is refused.
    /// </summary>
    public async Task FenceProducerAsync(string transactionalId, CancellationToken cancellationToken = default)
    {
        var coordinator = TransactionCoordinatorOf(transactionalId);
        var known = await DescribeTransactionAsync(transactionalId, cancellationToken)
            ?? throw new OrleansLogException(ErrorCode.TransactionalIdNotFound, $"There is no transactional id '{transactionalId}'.");
        var request = new InitProducerIdRequest { TransactionalId = transactionalId, TransactionTimeoutMs = (int)known.Timeout.TotalMilliseconds };
        await _cluster.RetryAsync($"abort the transaction of '{transactionalId}'", async token =>
        {
            var answer = await coordinator.SendOnceAsync(request, response => response.ErrorCode, 0, token);
            Require(answer.ErrorCode, null, $"abort the transaction of '{transactionalId}'");
            return true;
        }, cancellationToken);
    }

    /// <summary>
    /// Has a partition's leader write the end of a transaction that no coordinator knows of any more, so that readers of
    /// committed records can go on. What a coordinator knows of is for <see cref="FenceProducerAsync"/>.
    /// </summary>
    public async Task AbortInPartitionAsync(PartitionProducer producer, CancellationToken cancellationToken = default)
    {
        var request = new WriteTxnMarkersRequest
        {
            Markers =
            [
                new()
                {
                    ProducerId = producer.ProducerId,
                    ProducerEpoch = producer.ProducerEpoch,
                    CoordinatorEpoch = Math.Max(producer.CoordinatorEpoch, 0),
                    Topics = [new() { Name = producer.Partition.Topic, PartitionIndexes = [producer.Partition.Partition] }],
                },
            ],
        };
        await AskLeaderAsync(
            producer.Partition, $"abort the transaction in {producer.Partition}", request,
            response => response.Markers[0].Topics[0].Partitions[0].ErrorCode, cancellationToken);
    }

    private GroupCoordinator TransactionCoordinatorOf(string transactionalId) => new(_cluster, transactionalId, Lane.Control, CoordinatorKind.Transaction);

    private Task<TResponse> AskLeaderAsync<TResponse>(
        TopicPartition partition, string what, Protocol.Wire.IRequest<TResponse> request, Func<TResponse, ErrorCode> errorOf, CancellationToken cancellationToken)
        where TResponse : class, Protocol.Wire.IResponse, new() => _cluster.RetryAsync(what, async token =>
    {
        await _cluster.Metadata.FindTopicAsync(partition.Topic, allowCreation: false, token);
        var leader = _cluster.Metadata.View.Find(partition)?.Leader ?? BrokerId.None;
        if (leader == BrokerId.None) throw new OrleansLogException(ErrorCode.LeaderNotAvailable, $"{partition} has no leader.");
        var response = await _cluster.Transport.SendAsync(leader, Lane.Control, request, token);
        Require(errorOf(response), null, what);
        return response;
    }, cancellationToken);

    private static PartitionProducer ToProducer(TopicPartition partition, DescribeProducersResponse.ProducerState producer) => new(
        partition, producer.ProducerId, (short)producer.ProducerEpoch, producer.LastSequence,
        producer.LastTimestamp < 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(producer.LastTimestamp), producer.CoordinatorEpoch,
        producer.CurrentTxnStartOffset < 0 ? null : new Offset(producer.CurrentTxnStartOffset));
}
