using Orleans.Concurrency;
using OrleansLog.Grains.Calls;
using OrleansLog.Grains.Placement;
using OrleansLog.Protocol;

namespace OrleansLog.Grains;

/// <inheritdoc cref="IPartitionGrain"/>
[GrainType(GrainTypes.Partition), Reentrant, Pinned]
internal sealed class PartitionGrain : Grain, IPartitionGrain
{
    private readonly ILocalBroker _broker;
    private readonly TopicPartition _partition;

    public PartitionGrain(ILocalBroker broker)
    {
        _broker = broker;
        _partition = GrainKeys.ParsePartition(this.GetPrimaryKeyString());
    }

    public async ValueTask<AppendResult> AppendAsync(Payload batches, short acks, int timeoutMs)
    {
        var result = await _broker.AppendAsync(_partition, batches, acks, timeoutMs);
        LeaveIf(result.Error);
        return result;
    }

    public async ValueTask<FetchResult> FetchAsync(FetchCall call)
    {
        var result = await _broker.FetchAsync(_partition, call);
        LeaveIf(result.Error);
        return result;
    }

    public async ValueTask<OffsetResult> ListOffsetAsync(long timestampMs)
    {
        var result = await _broker.ListOffsetAsync(_partition, timestampMs);
        LeaveIf(result.Error);
        return result;
    }

    public async ValueTask<OffsetResult> DeleteRecordsAsync(long before)
    {
        var result = await _broker.DeleteRecordsAsync(_partition, before);
        LeaveIf(result.Error);
        return result;
    }

    // The next call is to be placed anew.
    private void LeaveIf(ErrorCode error)
    {
        if (error == ErrorCode.NotLeaderOrFollower && _broker.LeaderOf(_partition) != _broker.Id) DeactivateOnIdle();
    }
}
