using OrleansLog.Broker.Metadata;
using OrleansLog.Broker.Topics;
using OrleansLog.Coordination.SharePartitions;
using OrleansLog.Coordination.ShareStates;
using OrleansLog.Protocol;
using OrleansLog.Protocol.Messages;
using OrleansLog.Replication.Brokers;

namespace OrleansLog.Broker.Shares;

/// <summary>The share coordinators, found by what is known here of the leaders of their partitions. Any thread.</summary>
internal sealed class ShareStateCalls(
    ClusterDirectory cluster, Func<BrokerId, IShareStatePeer> peers, Func<CancellationToken, ValueTask<TopicOutcome>> ensureTopicAsync) : IShareStates
{
    public async Task<ErrorCode> InitializeAsync(SharePartitionKey key, int stateEpoch, long startOffset, CancellationToken cancellationToken)
    {
        if (cluster.Image.FindTopic(TopicName.ShareGroupState) is null)
            await ensureTopicAsync(cancellationToken);
        if (FindCoordinator(key) is not { } coordinator)
            return ErrorCode.CoordinatorNotAvailable;
        var answer = await coordinator.InitializeShareStateAsync(new()
        {
            GroupId = key.Group,
            Topics = [new() { TopicId = key.TopicId, Partitions = [new() { Partition = key.Partition, StateEpoch = stateEpoch, StartOffset = startOffset }] }],
        }, cancellationToken);
        return answer.Results[0].Partitions[0].ErrorCode;
    }

    public async Task<StoredShareState> ReadAsync(SharePartitionKey key, LeaderEpoch leaderEpoch, CancellationToken cancellationToken)
    {
        if (FindCoordinator(key) is not { } coordinator)
            return new(ErrorCode.CoordinatorNotAvailable);
        var answer = await coordinator.ReadShareStateAsync(new()
        {
            GroupId = key.Group,
            Topics = [new() { TopicId = key.TopicId, Partitions = [new() { Partition = key.Partition, LeaderEpoch = leaderEpoch.Value }] }],
        }, cancellationToken);
        var state = answer.Results[0].Partitions[0];
        return new(state.ErrorCode, state.StateEpoch, state.StartOffset, state.StateBatches.ConvertAll(batch =>
            new ShareStateRange(batch.FirstOffset, batch.LastOffset, (DeliveryState)batch.DeliveryState, batch.DeliveryCount)));
    }

    public async Task<ErrorCode> WriteAsync(SharePartitionKey key, ShareStateWrite write, CancellationToken cancellationToken)
    {
        if (FindCoordinator(key) is not { } coordinator)
            return ErrorCode.CoordinatorNotAvailable;
        var answer = await coordinator.WriteShareStateAsync(new()
        {
            GroupId = key.Group,
            Topics = [new() { TopicId = key.TopicId, Partitions = [Describe(key.Partition, write)] }],
        }, cancellationToken);
        return answer.Results[0].Partitions[0].ErrorCode;
    }

    public async Task<ErrorCode> DeleteAsync(SharePartitionKey key, CancellationToken cancellationToken)
    {
        if (FindCoordinator(key) is not { } coordinator)
            return ErrorCode.CoordinatorNotAvailable;
        var answer = await coordinator.DeleteShareStateAsync(new()
        {
            GroupId = key.Group,
            Topics = [new() { TopicId = key.TopicId, Partitions = [new() { Partition = key.Partition }] }],
        }, cancellationToken);
        return answer.Results[0].Partitions[0].ErrorCode;
    }

    public async Task<ShareStateSummary> SummarizeAsync(SharePartitionKey key, CancellationToken cancellationToken)
    {
        if (FindCoordinator(key) is not { } coordinator)
            return new(ErrorCode.CoordinatorNotAvailable);
        var answer = await coordinator.SummarizeShareStateAsync(new()
        {
            GroupId = key.Group,
            Topics = [new() { TopicId = key.TopicId, Partitions = [new() { Partition = key.Partition, LeaderEpoch = LeaderEpoch.None.Value }] }],
        }, cancellationToken);
        var state = answer.Results[0].Partitions[0];
        return new(state.ErrorCode, state.StateEpoch, state.LeaderEpoch, state.StartOffset, state.DeliveryCompleteCount);
    }

    private IShareStatePeer? FindCoordinator(SharePartitionKey key)
    {
        if (cluster.Image.FindTopic(TopicName.ShareGroupState) is not { } topic)
            return null;
        var leader = topic.Partitions[ShareCoordinator.PartitionFor(key, topic.Partitions.Length)].Leader;
        return leader == BrokerId.None ? null : peers(leader);
    }

    private static WriteShareGroupStateRequest.PartitionData Describe(int partition, ShareStateWrite write) => new()
    {
        Partition = partition,
        StateEpoch = write.StateEpoch,
        LeaderEpoch = write.LeaderEpoch.Value,
        WriteNumber = write.Number,
        StartOffset = write.Change.StartOffset,
        DeliveryCompleteCount = write.Change.CompleteCount,
        StateBatches = [.. write.Change.Ranges.Select(range => new ShareStateBatch
        {
            FirstOffset = range.First, LastOffset = range.Last, DeliveryState = (sbyte)range.State, DeliveryCount = range.DeliveryCount,
        })],
    };
}
