using OrleansLog.Coordination.Runtime;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.Transactions;

/// <summary>Tells administrators what transactions there are (KIP-664).</summary>
internal static class TransactionListing
{
    /// <summary>Empty filters let everything through.</summary>
    public static CoordinatorResult<ListTransactionsResponse> List(
        IEnumerable<TransactionState> states, ListTransactionsRequest request, long nowMs)
    {
        var ids = request.ProducerIdFilters.Select(filter => filter.ProducerId).ToHashSet();
        var listed = states.Where(state =>
            (request.StateFilters.Count == 0 || request.StateFilters.Contains(state.Status.ToString()))
            && (ids.Count == 0 || ids.Contains(state.ProducerId))
            && (request.DurationFilter < 0 || (state.StartMs >= 0 && nowMs - state.StartMs > request.DurationFilter)));
        return new CoordinatorResult<ListTransactionsResponse>(nowMs).With(new()
        {
            TransactionStates = [.. listed.Select(state => new ListTransactionsResponse.TransactionState
            {
                TransactionalId = state.TransactionalId, ProducerId = state.ProducerId, State = state.Status.ToString(),
            })],
        });
    }

    /// <summary>The names of states that there are none of.</summary>
    public static List<string> UnknownStates(ListTransactionsRequest request) =>
        [.. request.StateFilters.Where(name => !Enum.GetNames<TransactionStatus>().Contains(name, StringComparer.Ordinal)).Distinct()];

    public static CoordinatorResult<DescribeTransactionsResponse.TransactionState> Describe(string transactionalId, TransactionState? state, long nowMs) =>
        new CoordinatorResult<DescribeTransactionsResponse.TransactionState>(nowMs).With(state is null
            ? new() { TransactionalId = transactionalId, ErrorCode = ErrorCode.TransactionalIdNotFound }
            : Describe(state));

    private static DescribeTransactionsResponse.TransactionState Describe(TransactionState state) => new()
    {
        TransactionalId = state.TransactionalId,
        State = state.Status.ToString(),
        TransactionTimeoutMs = state.TimeoutMs,
        TransactionStartTimeMs = state.StartMs,
        ProducerId = state.ProducerId,
        ProducerEpoch = state.Epoch,
        Topics = [.. state.Partitions.GroupBy(partition => partition.Topic).Select(topic => new DescribeTransactionsResponse.TopicData
        {
            Topic = topic.Key, Partitions = [.. topic.Select(partition => partition.Partition).Order()],
        })],
    };
}
