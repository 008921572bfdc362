using OrleansLog.Broker.Transactions;
using OrleansLog.Coordination;
using OrleansLog.Coordination.Transactions;
using OrleansLog.Kafka.Requests;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Kafka.Apis;

/// <summary>Producers and their transactions: handed to the coordinator, or to the leaders of partitions.</summary>
internal sealed class TransactionsApi(Broker.Broker broker)
{
    private const short FirstOffsetCommitThatAdds = 5;

    public void Register(ApiDispatcher dispatcher)
    {
        var transactions = broker.Transactions;
        dispatcher.Register<InitProducerIdRequest, InitProducerIdResponse>((request, context) => new(InitProducerIdAsync(request, context)));
        Register<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse>(dispatcher, transactions.AddPartitionsAsync);
        Register<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>(dispatcher, AddOffsetsAsync);
        Register<EndTxnRequest, EndTxnResponse>(dispatcher, transactions.EndAsync);
        Register<TxnOffsetCommitRequest, TxnOffsetCommitResponse>(dispatcher, CommitOffsetsAsync);
        Register<DescribeTransactionsRequest, DescribeTransactionsResponse>(dispatcher, transactions.DescribeAsync);
        Register<ListTransactionsRequest, ListTransactionsResponse>(dispatcher, transactions.ListAsync);
        dispatcher.Register<WriteTxnMarkersRequest, WriteTxnMarkersResponse>((request, context) => new(broker.WriteTxnMarkersAsync(request, context.Closed)));
        dispatcher.Register<DescribeProducersRequest, DescribeProducersResponse>((request, _) => new(DescribeProducers(request)));
    }

    private static void Register<TRequest, TResponse>(ApiDispatcher dispatcher, Func<CallContext, TRequest, Task<TResponse>> handle)
        where TRequest : class, Protocol.Wire.IRequest<TResponse>, new()
        where TResponse : class, Protocol.Wire.IResponse, new()
    {
        dispatcher.Register<TRequest, TResponse>((request, context) => new(handle(CallOf(context), request)));
    }

    private static CallContext CallOf(RequestContext context) =>
        new(context.Header.ClientId ?? "", $"/{context.Client.Address}", context.Version, context.Closed);

    /// <summary>
    /// Without a transactional id there is nothing to go on from: such a producer counts its epochs itself, and asks when it
    /// wants another id (KIP-360).
    /// </summary>
    private async Task<InitProducerIdResponse> InitProducerIdAsync(InitProducerIdRequest request, RequestContext context) =>
        request.TransactionalId is null
            ? new() { ProducerId = await broker.ProducerIds.NextAsync(context.Closed), ProducerEpoch = 0 }
            : await broker.Transactions.InitProducerIdAsync(CallOf(context), request);

    private async Task<AddOffsetsToTxnResponse> AddOffsetsAsync(CallContext context, AddOffsetsToTxnRequest request)
    {
        await broker.EnsureOffsetsTopicAsync(context.Cancellation);
        return await broker.Transactions.AddOffsetsAsync(context, request);
    }

    private async Task<TxnOffsetCommitResponse> CommitOffsetsAsync(CallContext context, TxnOffsetCommitRequest request)
    {
        var holder = broker.Transactions.OffsetsPartitionOf(request.GroupId);
        var log = broker.Partitions.Find(holder)?.Log;
        if (log is null || log.IsInTransaction(request.ProducerId, request.ProducerEpoch))
            return await broker.Groups.TxnOffsetCommitAsync(context, request, verified: null);
        var transaction = new OpenTransaction(
            request.TransactionalId, request.ProducerId, request.ProducerEpoch, MayAdd: context.ApiVersion >= FirstOffsetCommitThatAdds);
        for (var attempt = 1; ; attempt++)
        {
            var end = log.LogEndOffset;
            var verdict = await broker.Verification.VerifyAsync(transaction, holder, context.Cancellation);
            var error = TransactionErrors.ForOffsets(verdict.Error, context.ApiVersion);
            if (error != ErrorCode.None)
                return GroupCoordinator.Refuse(request, error);
            var answer = await broker.Groups.TxnOffsetCommitAsync(context, request, new(end, verdict.CoordinatorEpoch));
            // Who the coordinator is will be known here soon.
            if (Has(answer, ErrorCode.TransactionCoordinatorFenced))
                return GroupCoordinator.Refuse(request, ErrorCode.CoordinatorLoadInProgress);
            // The marker of the transaction before this one may have come meanwhile.
            if (!Has(answer, ErrorCode.InvalidTxnState) || attempt == OpenTransaction.AttemptsMax)
                return answer;
        }
    }

    private static bool Has(TxnOffsetCommitResponse answer, ErrorCode error) =>
        answer.Topics.Exists(topic => topic.Partitions.Exists(each => each.ErrorCode == error));

    private DescribeProducersResponse DescribeProducers(DescribeProducersRequest request) => new()
    {
        Topics = request.Topics.ConvertAll(topic => new DescribeProducersResponse.TopicResponse
        {
            Name = topic.Name,
            Partitions = topic.PartitionIndexes.ConvertAll(index => DescribeProducers(new TopicPartition(topic.Name, index))),
        }),
    };

    private DescribeProducersResponse.PartitionResponse DescribeProducers(TopicPartition id)
    {
        var partition = broker.Partitions.Find(id);
        var error = partition?.CheckLeader(LeaderEpoch.None.Value) ?? broker.WhyNotLed(id);
        return new()
        {
            PartitionIndex = id.Partition,
            ErrorCode = error,
            ActiveProducers = error != ErrorCode.None ? [] : [.. partition!.Log.DescribeProducers().Select(producer => new DescribeProducersResponse.ProducerState
            {
                ProducerId = producer.ProducerId,
                ProducerEpoch = producer.Epoch,
                LastSequence = producer.LastSequence,
                LastTimestamp = producer.LastTimestampMs,
                CoordinatorEpoch = producer.CoordinatorEpoch,
                CurrentTxnStartOffset = producer.TransactionStart.Value,
            })],
        };
    }
}
