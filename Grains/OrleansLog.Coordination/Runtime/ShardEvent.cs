using OrleansLog.Protocol;

namespace OrleansLog.Coordination.Runtime;

/// <summary>Something that waits for its turn at a shard.</summary>
internal abstract class ShardEvent<TShard>
{
    public abstract CoordinatorResult Decide(TShard shard, long nowMs);

    public abstract void Refuse(ErrorCode error);
}

/// <summary>A request and the answer that its caller waits for.</summary>
internal sealed class ShardRequest<TShard, T>(
    Func<TShard, PendingReply<T>, long, CoordinatorResult<T>> handler, PendingReply<T> reply) : ShardEvent<TShard>
    where T : class
{
    public override CoordinatorResult Decide(TShard shard, long nowMs)
    {
        var result = handler(shard, reply, nowMs);
        if (result.Reply is { } answer)
            result.Settle(reply, answer, result.AwaitsCommit);
        return result;
    }

    public override void Refuse(ErrorCode error) => reply.Refuse(error);
}

/// <summary>A timer of the shard that has run out.</summary>
internal sealed class ShardTimerDue<TShard>(TimerKey key) : ShardEvent<TShard> where TShard : ICoordinatorShard
{
    public override CoordinatorResult Decide(TShard shard, long nowMs) => shard.TimerDue(key, nowMs);

    public override void Refuse(ErrorCode error) { }
}
