using OrleansLog.Coordination.Runtime;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;

namespace OrleansLog.Coordination.ShareStates;

/// <content>The requests, which name several share-partitions of a group; each is answered for itself.</content>
public sealed partial class ShareCoordinator
{
    /// <inheritdoc cref="IShareStates.InitializeAsync"/>
    public async Task<InitializeShareGroupStateResponse> InitializeAsync(InitializeShareGroupStateRequest request, CancellationToken cancellation) => new()
    {
        Results = await EachAsync(request.Topics, async topic => new InitializeShareGroupStateResponse.TopicResult
        {
            TopicId = topic.TopicId,
            Partitions = await EachAsync(topic.Partitions, async part =>
            {
                var outcome = await RouteAsync(
                    new(request.GroupId, topic.TopicId, part.Partition),
                    (shard, now) => shard.Initialize(new(request.GroupId, topic.TopicId, part.Partition), part.StateEpoch, part.StartOffset, now),
                    Refuse, cancellation);
                return new InitializeShareGroupStateResponse.PartitionResult { Partition = part.Partition, ErrorCode = outcome.Error };
            }),
        }),
    };

    /// <inheritdoc cref="IShareStates.ReadAsync"/>
    public async Task<ReadShareGroupStateResponse> ReadAsync(ReadShareGroupStateRequest request, CancellationToken cancellation) => new()
    {
        Results = await EachAsync(request.Topics, async topic => new ReadShareGroupStateResponse.TopicResult
        {
            TopicId = topic.TopicId,
            Partitions = await EachAsync(topic.Partitions, async part =>
            {
                var key = new SharePartitionKey(request.GroupId, topic.TopicId, part.Partition);
                var state = await RouteAsync(key, (shard, now) => shard.Read(key, part.LeaderEpoch, now), error => new StoredShareState(error), cancellation);
                return new ReadShareGroupStateResponse.PartitionResult
                {
                    Partition = part.Partition,
                    ErrorCode = state.Error,
                    StateEpoch = state.StateEpoch,
                    StartOffset = state.StartOffset,
                    StateBatches = ToMessage(state.Ranges ?? []),
                };
            }),
        }),
    };

    /// <inheritdoc cref="IShareStates.WriteAsync"/>
    public async Task<WriteShareGroupStateResponse> WriteAsync(WriteShareGroupStateRequest request, CancellationToken cancellation) => new()
    {
        Results = await EachAsync(request.Topics, async topic => new WriteShareGroupStateResponse.TopicResult
        {
            TopicId = topic.TopicId,
            Partitions = await EachAsync(topic.Partitions, async part =>
            {
                var key = new SharePartitionKey(request.GroupId, topic.TopicId, part.Partition);
                var write = new ShareStateWrite(
                    part.StateEpoch, new(part.LeaderEpoch), part.WriteNumber,
                    new(part.StartOffset, part.DeliveryCompleteCount, ShareStateRecord.From(part.StateBatches)));
                var outcome = await RouteAsync(key, (shard, now) => shard.Write(key, write, now), Refuse, cancellation);
                return new WriteShareGroupStateResponse.PartitionResult { Partition = part.Partition, ErrorCode = outcome.Error };
            }),
        }),
    };

    /// <inheritdoc cref="IShareStates.DeleteAsync"/>
    public async Task<DeleteShareGroupStateResponse> DeleteAsync(DeleteShareGroupStateRequest request, CancellationToken cancellation) => new()
    {
        Results = await EachAsync(request.Topics, async topic => new DeleteShareGroupStateResponse.TopicResult
        {
            TopicId = topic.TopicId,
            Partitions = await EachAsync(topic.Partitions, async part =>
            {
                var key = new SharePartitionKey(request.GroupId, topic.TopicId, part.Partition);
                var outcome = await RouteAsync(key, (shard, now) => shard.Delete(key, now), Refuse, cancellation);
                return new DeleteShareGroupStateResponse.PartitionResult { Partition = part.Partition, ErrorCode = outcome.Error };
            }),
        }),
    };

    /// <inheritdoc cref="IShareStates.SummarizeAsync"/>
    public async Task<ReadShareGroupStateSummaryResponse> SummarizeAsync(ReadShareGroupStateSummaryRequest request, CancellationToken cancellation) => new()
    {
        Results = await EachAsync(request.Topics, async topic => new ReadShareGroupStateSummaryResponse.TopicResult
        {
            TopicId = topic.TopicId,
            Partitions = await EachAsync(topic.Partitions, async part =>
            {
                var key = new SharePartitionKey(request.GroupId, topic.TopicId, part.Partition);
                var state = await RouteAsync(key, (shard, now) => shard.Summarize(key, now), error => new ShareStateSummary(error), cancellation);
                return new ReadShareGroupStateSummaryResponse.PartitionResult
                {
                    Partition = part.Partition,
                    ErrorCode = state.Error,
                    StateEpoch = state.StateEpoch,
                    LeaderEpoch = state.LeaderEpoch,
                    StartOffset = state.StartOffset,
                    DeliveryCompleteCount = state.CompleteCount,
                };
            }),
        }),
    };

    private static ShareOutcome Refuse(ErrorCode error) => new(error);

    private static async Task<List<TResult>> EachAsync<T, TResult>(List<T> items, Func<T, Task<TResult>> answer) =>
        [.. await Answers.AllAsync(items.Select(answer))];

    private static List<ShareStateBatch> ToMessage(IReadOnlyList<ShareStateRange> ranges) => [.. ranges.Select(range => new ShareStateBatch
    {
        FirstOffset = range.First, LastOffset = range.Last, DeliveryState = (sbyte)range.State, DeliveryCount = range.DeliveryCount,
    })];
}
