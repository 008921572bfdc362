using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using static OrleansLog.Protocol.Messages.AddPartitionsToTxnRequest;
using static OrleansLog.Protocol.Messages.AddPartitionsToTxnResponse;

namespace OrleansLog.Coordination.Transactions;

/// <content>What producers, brokers and administrators ask.</content>
public sealed partial class TransactionCoordinator
{
    private const short FirstBatchedVersion = 4;
    private const short FirstVersionWithEpochs = 5;
    private const short FirstVersionWithFencedError = 2;

    /// <summary>Gives the producer of a transactional id its producer id and epoch.</summary>
    public async Task<InitProducerIdResponse> InitProducerIdAsync(CallContext context, InitProducerIdRequest request)
    {
        if (request.TransactionTimeoutMs <= 0 || request.TransactionTimeoutMs > options.MaxTimeoutMs)
            return new() { ErrorCode = ErrorCode.InvalidTransactionTimeout };
        if (request.ProducerId < 0 != request.ProducerEpoch < 0)
            return new() { ErrorCode = ErrorCode.InvalidRequest };
        var outcome = await InitAsync(null);
        if (outcome.NeedsProducerId)
            outcome = await InitAsync(await ports.Ids.NextAsync(context.Cancellation));
        // Older clients do not know that they were fenced under this name.
        var error = outcome.Error == ErrorCode.ProducerFenced && context.ApiVersion < 4 ? ErrorCode.InvalidProducerEpoch : outcome.Error;
        return new() { ErrorCode = error, ProducerId = outcome.ProducerId, ProducerEpoch = outcome.Epoch };

        Task<InitOutcome> InitAsync(long? freshProducerId) => RouteAsync(
            request.TransactionalId!, (shard, now) => shard.Init(request, freshProducerId, now), error => new InitOutcome(error), context.Cancellation);
    }

    /// <summary>
    /// Makes partitions part of transactions: of one producer's, or from version 4 on of many, for brokers that ask on behalf of
    /// producers, or only want to know (KIP-890).
    /// </summary>
    public async Task<AddPartitionsToTxnResponse> AddPartitionsAsync(CallContext context, AddPartitionsToTxnRequest request)
    {
        if (context.ApiVersion >= FirstBatchedVersion)
            return new() { ResultsByTransaction = [.. await Answers.AllAsync(request.Transactions.Select(each => AddPartitionsAsync(context, each)))] };
        var producer = new ProducerIdentity(request.V3AndBelowTransactionalId, request.V3AndBelowProducerId, request.V3AndBelowProducerEpoch);
        var outcome = await AddAsync(producer, PartitionsOf(request.V3AndBelowTopics), version: 1, context.Cancellation);
        if (outcome.Error == ErrorCode.ProducerFenced && context.ApiVersion < FirstVersionWithFencedError)
            outcome = new(ErrorCode.InvalidProducerEpoch);
        return new() { ResultsByTopicV3AndBelow = Answer(request.V3AndBelowTopics, outcome) };
    }

    /// <summary>Makes the offsets that a group commits part of a transaction.</summary>
    public async Task<AddOffsetsToTxnResponse> AddOffsetsAsync(CallContext context, AddOffsetsToTxnRequest request)
    {
        if (request.GroupId.Length == 0 || IsTooLong(request.GroupId))
            return new() { ErrorCode = ErrorCode.InvalidGroupId };
        var producer = new ProducerIdentity(request.TransactionalId, request.ProducerId, request.ProducerEpoch);
        var outcome = await AddAsync(producer, [OffsetsPartitionOf(request.GroupId)], version: 1, context.Cancellation);
        var error = outcome.Error == ErrorCode.OperationNotAttempted ? ErrorCode.CoordinatorNotAvailable : outcome.Error;
        return new() { ErrorCode = error == ErrorCode.ProducerFenced && context.ApiVersion < FirstVersionWithFencedError ? ErrorCode.InvalidProducerEpoch : error };
    }

    /// <summary>The partition that the offsets of a group are written to.</summary>
    public TopicPartition OffsetsPartitionOf(string groupId) =>
        new(GroupCoordinator.TopicName, GroupCoordinator.PartitionFor(groupId, options.OffsetsPartitionCount));

    /// <summary>Commits or aborts a transaction. Answered when the outcome is committed; the partitions learn of it afterwards.</summary>
    public async Task<EndTxnResponse> EndAsync(CallContext context, EndTxnRequest request)
    {
        var producer = new ProducerIdentity(request.TransactionalId, request.ProducerId, request.ProducerEpoch);
        var bumpsEpoch = context.ApiVersion >= FirstVersionWithEpochs;
        var outcome = await EndAsync(null);
        if (outcome.NeedsProducerId)
            outcome = await EndAsync(await ports.Ids.NextAsync(context.Cancellation));
        var error = outcome.Error == ErrorCode.ProducerFenced && context.ApiVersion < FirstVersionWithFencedError ? ErrorCode.InvalidProducerEpoch : outcome.Error;
        return new() { ErrorCode = error, ProducerId = outcome.ProducerId, ProducerEpoch = outcome.Epoch };

        Task<EndOutcome> EndAsync(long? freshProducerId) => RouteAsync(
            request.TransactionalId, (shard, now) => shard.End(producer, request.Committed, bumpsEpoch, freshProducerId, now),
            error => new EndOutcome(error), context.Cancellation);
    }

    /// <summary>The transactional ids in all partitions of this coordinator; refused while one is being loaded.</summary>
    public async Task<ListTransactionsResponse> ListAsync(CallContext context, ListTransactionsRequest request)
    {
        var lists = await Answers.AllAsync(_elections.Values.Select(election => election.Runtime.RunAsync(
            (shard, _, now) => shard.List(request, now), error => new ListTransactionsResponse { ErrorCode = error }))).WaitAsync(context.Cancellation);
        if (lists.FirstOrDefault(list => list.ErrorCode is not (ErrorCode.None or ErrorCode.NotCoordinator)) is { } refused)
            return new() { ErrorCode = CoordinatorErrors.ForGroups(refused.ErrorCode) };
        return new() { UnknownStateFilters = TransactionListing.UnknownStates(request), TransactionStates = [.. lists.SelectMany(list => list.TransactionStates)] };
    }

    /// <summary>Describes transactional ids, in the order asked for.</summary>
    public async Task<DescribeTransactionsResponse> DescribeAsync(CallContext context, DescribeTransactionsRequest request)
    {
        var states = request.TransactionalIds.Select(id => RouteAsync(
            id, (shard, now) => shard.Describe(id, now),
            error => new DescribeTransactionsResponse.TransactionState { TransactionalId = id, ErrorCode = error }, context.Cancellation));
        return new() { TransactionStates = [.. await Answers.AllAsync(states)] };
    }

    private async Task<AddPartitionsToTxnResult> AddPartitionsAsync(CallContext context, AddPartitionsToTxnTransaction asked)
    {
        var producer = new ProducerIdentity(asked.TransactionalId, asked.ProducerId, asked.ProducerEpoch);
        var partitions = PartitionsOf(asked.Topics);
        var epoch = EpochFor(asked.TransactionalId);
        var version = (short)(context.ApiVersion >= FirstVersionWithEpochs ? 2 : 1);
        var outcome = asked.VerifyOnly
            ? await RouteAsync(
                asked.TransactionalId, (shard, now) => shard.Verify(producer, partitions, now), error => new PartsOutcome(error), context.Cancellation)
            : await AddAsync(producer, partitions, version, context.Cancellation);
        return new() { TransactionalId = asked.TransactionalId, TopicResults = Answer(asked.Topics, outcome), CoordinatorEpoch = epoch };
    }

    // The end of the transaction before mostly takes less time than an answer and another request.
    private async Task<PartsOutcome> AddAsync(
        ProducerIdentity producer, IReadOnlyCollection<TopicPartition> partitions, short version, CancellationToken cancellation)
    {
        var adding = RouteAsync(
            producer.TransactionalId, (shard, reply, now) => shard.Add(producer, partitions, version, reply, now), error => new PartsOutcome(error), cancellation);
        try
        {
            return await (adding.IsCompleted ? adding : Answers.RelayAsync(adding)).WaitAsync(TimeSpan.FromMilliseconds(options.HoldMsMax), ports.Time, cancellation);
        }
        catch (TimeoutException)
        {
            return new(ErrorCode.ConcurrentTransactions);
        }
    }

    private static List<TopicPartition> PartitionsOf(List<AddPartitionsToTxnTopic> topics) =>
        [.. topics.SelectMany(topic => topic.Partitions.Select(index => new TopicPartition(topic.Name, index)))];

    private static List<AddPartitionsToTxnTopicResult> Answer(List<AddPartitionsToTxnTopic> topics, PartsOutcome outcome) =>
        topics.ConvertAll(topic => new AddPartitionsToTxnTopicResult
        {
            Name = topic.Name,
            ResultsByPartition = topic.Partitions.ConvertAll(index => new AddPartitionsToTxnPartitionResult
            {
                PartitionIndex = index,
                PartitionErrorCode = outcome.Of(new(topic.Name, index)),
            }),
        });
}
