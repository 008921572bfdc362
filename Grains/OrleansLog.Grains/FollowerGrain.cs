using Orleans.Concurrency;
using OrleansLog.Grains.Calls;
using OrleansLog.Grains.Placement;
using OrleansLog.Protocol;

namespace OrleansLog.Grains;

/// <inheritdoc cref="IFollowerGrain"/>
[GrainType(GrainTypes.Follower), Reentrant, Pinned]
internal sealed class FollowerGrain : Grain, IFollowerGrain
{
    private readonly ILocalBroker _broker;
    private readonly TopicPartition _partition;

    public FollowerGrain(ILocalBroker broker)
    {
        _broker = broker;
        _partition = GrainKeys.ParseFollower(this.GetPrimaryKeyString()).Partition;
    }

    public async ValueTask<AppendAnswer> AppendAsync(AppendCall call)
    {
        var answer = AppendAnswer.Of(await _broker.Peer.AppendAsync(call.ToRequest(_partition), CancellationToken.None));
        // It is in the log, or refused: either way nothing of it is kept.
        call.Records.Release();
        return answer;
    }
}
